package dev.levee.spring;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.asm.ClassReader;
import org.springframework.asm.ClassVisitor;
import org.springframework.asm.MethodVisitor;
import org.springframework.asm.Opcodes;
import org.springframework.asm.SpringAsmInfo;
import org.springframework.asm.Type;

/**
 * Finds calls of an object to a guarded method of itself, which go past the proxy, and warns of them. It reads the code
 * of the class: a call of a method that has no other object of this class at hand is one of them.
 */
final class SelfCalls {
    private static final Logger LOG = LoggerFactory.getLogger(Guarded.class);

    private SelfCalls() {}

    static void warn(Class<?> type, List<Method> guarded) {
        for (String call : find(type, guarded)) {
            LOG.warn(
                    "levee: {} of {}: a call of an object to itself goes past the proxy and is not guarded; move the"
                            + " guarded method to another bean",
                    call,
                    type.getName());
        }
    }

    /** Returns the calls, as texts. */
    static Set<String> find(Class<?> type, List<Method> guarded) {
        Set<String> calls = new LinkedHashSet<>();
        if (guarded.isEmpty()) {
            return calls;
        }
        Set<String> names = guarded.stream()
                .map(method -> method.getName() + Type.getMethodDescriptor(method))
                .collect(Collectors.toSet());
        String file = type.getName().substring(type.getName().lastIndexOf('.') + 1) + ".class";
        try (InputStream code = type.getResourceAsStream(file)) {
            if (code != null) {
                new ClassReader(code)
                        .accept(
                                new Finder(Type.getInternalName(type), names, calls),
                                ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
            }
        } catch (IOException | RuntimeException unreadable) {
            LOG.debug("levee: the code of {} cannot be read", type.getName(), unreadable);
        }
        return calls;
    }

    /** Reads one class. */
    private static final class Finder extends ClassVisitor {
        private final String owner;
        private final Set<String> guarded;
        private final Set<String> calls;

        Finder(String owner, Set<String> guarded, Set<String> calls) {
            super(SpringAsmInfo.ASM_VERSION);
            this.owner = owner;
            this.guarded = guarded;
            this.calls = calls;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String name, String descriptor, String signature, String[] exceptions) {
            return new CallFinder(name, (access & Opcodes.ACC_STATIC) != 0 || descriptor.contains('L' + owner + ';'));
        }

        /** Reads one method. */
        private final class CallFinder extends MethodVisitor {
            private final String method;
            private final Set<String> found = new LinkedHashSet<>();
            private boolean other;

            CallFinder(String method, boolean other) {
                super(SpringAsmInfo.ASM_VERSION);
                this.method = method;
                this.other = other;
            }

            @Override
            public void visitFieldInsn(int opcode, String in, String name, String descriptor) {
                other |= descriptor.equals('L' + owner + ';');
            }

            @Override
            public void visitTypeInsn(int opcode, String type) {
                other |= type.equals(owner);
            }

            @Override
            public void visitMethodInsn(int opcode, String in, String name, String descriptor, boolean ofInterface) {
                other |= descriptor.endsWith(")L" + owner + ';');
                if (in.equals(owner) && guarded.contains(name + descriptor)) {
                    found.add(name);
                }
            }

            @Override
            public void visitEnd() {
                if (!other) {
                    String caller = method.startsWith("lambda$") ? method.split("\\$", -1)[1] : method;
                    found.forEach(name -> calls.add("\"" + caller + "\" calls the guarded \"" + name + '"'));
                }
            }
        }
    }
}
