package dev.switchyard.layers;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.io.Weights;
import java.util.LinkedHashMap;
import java.util.Map;

/** Changes of precision and of values, of all parts of a model or of none. */
public final class PrecisionFaultCases implements FaultCases {
  private static final PrecisionPolicy SMALL =
      PrecisionPolicy.to(Precision.SWITCHBACK).withSmallest(1);

  private final Kernels kernels;
  private final FloatMatrix x = Fixtures.gaussian(3, 4, 2);

  PrecisionFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    Map<String, FaultCase> cases = new LinkedHashMap<>();
    cases.put("converting", new WholeChange(Converting::new));
    cases.put("undoing a conversion", new WholeChange(Undoing::new));
    cases.put("releasing", new WholeChange(Releasing::new));
    cases.put("assigning", new WholeChange(Assigning::new));
    cases.put("loading what there is", new WholeChange(LoadingPresent::new));
    cases.put("loading what was released", new WholeChange(LoadingReleased::new));
    cases.put("freezing", new WholeChange(Freezing::new));
    return cases;
  }

  /** A model whose layers are to be changed together. */
  private abstract class OfModel implements WholeChange.Subject {
    final FeedForward model = new FeedForward("f", 4, 6, Precision.FLOAT32, Fixtures.RANDOM);

    /** Outputs on the way to inference alone, and to training where there are weights. */
    @Override
    public Object state() {
      float[] y = model.forward(Tape.none(kernels), Tensor.of(x)).value().toArray();
      return new Object[] {
        y, model.linears().stream().map(l -> l.precision() + " " + l.weight().released()).toArray()
      };
    }
  }

  private final class Converting extends OfModel {
    @Override
    public void change() {
      Precisions.convert(model, SMALL);
    }
  }

  private final class Undoing extends OfModel {
    private final Conversion conversion = Precisions.convert(model, SMALL);

    @Override
    public void change() {
      conversion.undo();
    }
  }

  private final class Releasing extends OfModel {
    Releasing() {
      Precisions.convert(model, SMALL);
    }

    @Override
    public void change() {
      Precisions.release(model, kernels);
    }
  }

  private class Assigning extends OfModel {
    final Map<String, FloatMatrix> values = new LinkedHashMap<>();

    Assigning() {
      for (Parameter parameter : model.parameters()) {
        FloatMatrix value = Fixtures.gaussian(parameter.rows(), parameter.cols(), 7);
        values.put(parameter.name(), value);
      }
    }

    @Override
    public void change() {
      Weights.load(values, model.parameters());
    }
  }

  private final class LoadingReleased extends Assigning {
    LoadingReleased() {
      Precisions.convert(model, SMALL);
      Precisions.release(model, kernels);
    }
  }

  private final class LoadingPresent extends Assigning {
    @Override
    public void change() {
      Weights.loadPresent(Weights.rename(values, name -> name), model.parameters());
    }
  }

  private final class Freezing extends OfModel {
    @Override
    public void change() {
      Parameter.setFrozen(model.parameters(), true);
    }

    @Override
    public Object state() {
      return model.parameters().stream().map(Parameter::frozen).toArray();
    }
  }
}
