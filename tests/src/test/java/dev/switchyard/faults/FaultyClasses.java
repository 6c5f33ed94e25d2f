package dev.switchyard.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ArrayStoreInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Rewrites classes of the library, so that {@link Faults} hears of each call, each allocation and
 * each public method that begins. Static initializers stay as they are: an error there leaves a
 * class unusable for good, which is the JVM's doing.
 */
final class FaultyClasses {
  private static final ClassDesc FAULTS = ClassDesc.of(Faults.class.getName());
  private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);
  private static final MethodTypeDesc NUMBER =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

  /** Owners of what allocates nothing itself. */
  private static final List<String> NEVER_ALLOCATE =
      List.of(
          "dev/switchyard/",
          "java/lang/Math",
          "java/lang/Runnable",
          "java/lang/System",
          "java/lang/Thread",
          "java/lang/invoke/VarHandle",
          "java/util/concurrent/atomic/",
          "java/util/concurrent/locks/",
          "java/util/function/");

  /** Calls itself some hundred times before an operation, and would be most of what can fail. */
  private static final String PROBE = "StackProbe.class";

  /** Operations that need processes of a launcher, or end this one. */
  private static final List<String> OF_PROCESSES = List.of("Mpi.", "SingleProcess.abort(");

  private final Set<String> exported;
  private final Set<ClassDesc> values = new HashSet<>(); // records and enums
  private final List<String> operations = new ArrayList<>();

  /**
   * Classes to be rewritten.
   *
   * @param exported the packages whose public methods are listed
   */
  FaultyClasses(Set<String> exported) {
    this.exported = exported;
  }

  /** The public methods of the exported packages, in the order of their numbers. */
  List<String> operations() {
    return operations;
  }

  /**
   * Rewrites all classes below a package.
   *
   * @param one a class whose folder or archive holds them
   */
  void rewrite(Class<?> one, String root, Path target) throws IOException {
    URI home = URI.create(one.getProtectionDomain().getCodeSource().getLocation().toString());
    if (!home.getPath().endsWith(".jar")) {
      rewriteAll(Path.of(home), root, target);
      return;
    }
    try (FileSystem archive = FileSystems.newFileSystem(URI.create("jar:" + home), Map.of())) {
      rewriteAll(archive.getPath("/"), root, target);
    }
  }

  private void rewriteAll(Path from, String root, Path target) throws IOException {
    Map<Path, ClassModel> models = new TreeMap<>();
    try (Stream<Path> files = Files.walk(from.resolve(root))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.toString().endsWith(".class") && !file.endsWith(PROBE)) {
          models.put(file, ClassFile.of().parse(Files.readAllBytes(file)));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    models.values().stream()
        .filter(FaultyClasses::isValue)
        .forEach(model -> values.add(model.thisClass().asSymbol()));
    for (Map.Entry<Path, ClassModel> one : models.entrySet()) {
      Path to = target.resolve(from.relativize(one.getKey()).toString());
      Files.createDirectories(to.getParent());
      Files.write(to, rewrite(one.getValue()));
    }
  }

  private static boolean isValue(ClassModel model) {
    return model.superclass().isPresent()
        && Set.of("java/lang/Record", "java/lang/Enum")
            .contains(model.superclass().get().asInternalName());
  }

  /** The class so that it tells {@link Faults}. */
  byte[] rewrite(ClassModel model) {
    return ClassFile.of()
        .transformClass(
            model,
            (builder, element) -> {
              if (element instanceof MethodModel m && !m.methodName().equalsString("<clinit>")) {
                builder.transformMethod(
                    m, MethodTransform.transformingCode(new Points(number(model, m))));
              } else {
                builder.with(element);
              }
            });
  }

  /** The number of a method in the list, or -1 if it is none of the operations. */
  private int number(ClassModel model, MethodModel method) {
    ClassDesc owner = model.thisClass().asSymbol();
    String name = method.methodName().stringValue();
    boolean listed =
        exported.contains(owner.packageName())
            && model.flags().has(AccessFlag.PUBLIC)
            && method.flags().has(AccessFlag.PUBLIC)
            && !method.flags().has(AccessFlag.SYNTHETIC)
            && !name.equals("<init>") // an object that was not made is nobody's
            && method.code().isPresent()
            && !leavesNothing(model, method);
    String operation =
        owner.displayName() + "." + name + method.methodTypeSymbol().displayDescriptor();
    if (!listed || OF_PROCESSES.stream().anyMatch(operation::startsWith)) {
      return -1;
    }
    operations.add(operation);
    return operations.size() - 1;
  }

  /**
   * Whether nothing can be left half-way: it calls nothing and stores nothing, but answers from
   * what is there; or it makes something of values that never change, of a record or an enum and
   * others, numbers and texts; or it describes.
   */
  private boolean leavesNothing(ClassModel model, MethodModel method) {
    MethodTypeDesc type = method.methodTypeSymbol();
    boolean ofValues = isValue(model) && type.parameterList().stream().allMatch(this::isValue);
    boolean returns = !type.returnType().equals(ConstantDescs.CD_void);
    return (ofValues && returns)
        || Set.of("toString", "equals", "hashCode").contains(method.methodName().stringValue())
        || method.code().get().elementStream().noneMatch(FaultyClasses::callsOrStores);
  }

  private boolean isValue(ClassDesc type) {
    return type.isPrimitive() || type.equals(ConstantDescs.CD_String) || values.contains(type);
  }

  private static boolean callsOrStores(CodeElement element) {
    return element instanceof InvokeInstruction
        || element instanceof ArrayStoreInstruction
        || (element instanceof FieldInstruction field
            && Set.of(Opcode.PUTFIELD, Opcode.PUTSTATIC).contains(field.opcode()));
  }

  /** Calls {@link Faults} where something can fail. */
  private record Points(int number) implements CodeTransform {
    @Override
    public void atStart(CodeBuilder builder) {
      if (number >= 0) {
        builder.loadConstant(number).invokestatic(FAULTS, "entered", NUMBER);
      }
      builder.invokestatic(FAULTS, "call", NOTHING);
    }

    @Override
    public void accept(CodeBuilder builder, CodeElement element) {
      switch (element) {
        case InvokeInstruction call -> {
          builder.invokestatic(FAULTS, "call", NOTHING);
          if (NEVER_ALLOCATE.stream().noneMatch(call.owner().asInternalName()::startsWith)) {
            builder.invokestatic(FAULTS, "allocation", NOTHING);
          }
        }
        case InvokeDynamicInstruction _,
            NewObjectInstruction _,
            NewPrimitiveArrayInstruction _,
            NewReferenceArrayInstruction _,
            NewMultiArrayInstruction _ ->
            builder.invokestatic(FAULTS, "allocation", NOTHING);
        default -> {}
      }
      builder.with(element);
    }
  }
}
