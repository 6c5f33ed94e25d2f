package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.mpi.Collective;

/** The tasks to choose from. */
public enum TaskName {
  /** Which of ten kinds of clothing an image shows. */
  CLASSIFY {
    @Override
    TrainingTask create(TrainOptions options, FashionMnist images, Collective collective) {
      return new Classification(options, images);
    }
  },

  /** Which text belongs to which image. */
  CLIP {
    @Override
    TrainingTask create(TrainOptions options, FashionMnist images, Collective collective) {
      return new ImagesAndTexts(options, images, collective);
    }
  };

  abstract TrainingTask create(TrainOptions options, FashionMnist images, Collective collective);
}
