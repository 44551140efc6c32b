package dev.levee;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The names that the Java sources of the checkout declare, tests, benchmarks and examples included; read by javac's
 * parser.
 */
final class SourceNames {

    private static final SourceNames OF_CHECKOUT = read(Project.root());

    /** Simple name of a type to all types of that name. */
    private final Map<String, List<Type>> types = new HashMap<>();

    private final Set<String> packages = new HashSet<>();
    private final Set<String> methods = new HashSet<>();
    private final Set<String> names = new HashSet<>();
    private final Set<String> literals = new HashSet<>();
    private final Set<String> literalWords = new HashSet<>();

    /** A type: what it declares, and the simple names of what it extends and implements. */
    record Type(Set<String> members, List<String> supertypes) {}

    static SourceNames ofCheckout() {
        return OF_CHECKOUT;
    }

    private static SourceNames read(Path root) {
        SourceNames names = new SourceNames();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources(root)));
            for (CompilationUnitTree unit : task.parse()) {
                if (unit.getPackageName() != null) {
                    names.packages.add(unit.getPackageName().toString());
                }
                boolean aboutPages = unit.getSourceFile().getName().contains("/dev/levee/Markdown");
                unit.accept(names.new Reader(!aboutPages), null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return names;
    }

    private static List<Path> sources(Path root) {
        return Project.paths(root).stream()
                .filter(it -> it.toString().endsWith(".java"))
                .filter(it -> root.relativize(it).toString().contains("src/"))
                .toList();
    }

    boolean hasType(String simpleName) {
        return types.containsKey(simpleName);
    }

    boolean hasPackage(String name) {
        return packages.contains(name) || packages.stream().anyMatch(it -> it.startsWith(name + "."));
    }

    boolean hasMethod(String name) {
        return methods.contains(name);
    }

    /**
     * Whether a type, method, field, component, constant, parameter or variable has the name, or a text contains the
     * word.
     */
    boolean knows(String name) {
        return names.contains(name) || literalWords.contains(name);
    }

    boolean knowsPrefix(String prefix) {
        return names.stream().anyMatch(it -> it.startsWith(prefix));
    }

    boolean isText(String text) {
        return literals.contains(text);
    }

    /** Whether some text in the sources is this, or contains it. */
    boolean hasText(String text) {
        return literals.contains(text) || literals.stream().anyMatch(it -> it.contains(text));
    }

    /** Whether some type of the name, or its builder, has the member; true if it may inherit it from elsewhere. */
    boolean mayHaveMember(String type, String member) {
        boolean unknownSupertype = false;
        Deque<String> left = new ArrayDeque<>(List.of(type));
        Set<String> seen = new HashSet<>();
        while (!left.isEmpty()) {
            String next = left.pop();
            if (!seen.add(next)) {
                continue;
            }
            if (!types.containsKey(next)) {
                unknownSupertype = true;
                continue;
            }
            for (Type it : types.get(next)) {
                if (it.members().contains(member)) {
                    return true;
                }
                left.addAll(it.supertypes());
            }
        }
        return unknownSupertype;
    }

    private final class Reader extends TreeScanner<@Nullable Void, @Nullable Void> {

        private final Deque<Type> enclosing = new ArrayDeque<>();

        /** Not where they are examples of what is missing. */
        private final boolean withTexts;

        Reader(boolean withTexts) {
            this.withTexts = withTexts;
        }

        @Override
        public @Nullable Void visitClass(ClassTree tree, @Nullable Void nothing) {
            String name = tree.getSimpleName().toString();
            declare(name);
            List<String> supertypes = new ArrayList<>();
            if (tree.getExtendsClause() != null) {
                supertypes.add(simpleName(tree.getExtendsClause()));
            }
            tree.getImplementsClause().forEach(it -> supertypes.add(simpleName(it)));
            Type type = new Type(new HashSet<>(), supertypes);
            if (!name.isEmpty()) {
                types.computeIfAbsent(name, it -> new ArrayList<>()).add(type);
            }
            if (name.equals("Builder") && !enclosing.isEmpty()) {
                type = enclosing.peek(); // what can be set is known by the name of the configuration
            }
            enclosing.push(type);
            for (Tree member : tree.getMembers()) {
                if (member instanceof VariableTree field) {
                    type.members().add(field.getName().toString());
                } else if (member instanceof MethodTree method) {
                    type.members().add(method.getName().toString());
                }
            }
            super.visitClass(tree, null);
            enclosing.pop();
            return null;
        }

        private void declare(String name) {
            names.add(name);
            if (!enclosing.isEmpty()) {
                enclosing.peek().members().add(name);
            }
        }

        /** The last identifier, without type arguments. */
        private static String simpleName(Tree tree) {
            String text = tree.toString().replaceAll("<.*", "").replaceAll("@\\w+ ", "");
            return text.substring(text.lastIndexOf('.') + 1);
        }

        @Override
        public @Nullable Void visitMethod(MethodTree tree, @Nullable Void nothing) {
            names.add(tree.getName().toString());
            methods.add(tree.getName().toString());
            return super.visitMethod(tree, null);
        }

        @Override
        public @Nullable Void visitVariable(VariableTree tree, @Nullable Void nothing) {
            names.add(tree.getName().toString());
            if (!enclosing.isEmpty()) {
                methods.addAll(accessorOf(tree));
            }
            return super.visitVariable(tree, null);
        }

        /** Components of records are methods as well, and are parsed as fields. */
        private Set<String> accessorOf(VariableTree tree) {
            return enclosing.peek().members().contains(tree.getName().toString())
                    ? Set.of(tree.getName().toString())
                    : Set.of();
        }

        @Override
        public @Nullable Void visitLiteral(LiteralTree tree, @Nullable Void nothing) {
            if (withTexts && tree.getValue() instanceof String text) {
                literals.add(text);
                for (String word : text.split("\\W+", -1)) {
                    literalWords.add(word);
                }
            }
            return super.visitLiteral(tree, null);
        }
    }
}
