package dev.levee;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ThrowTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Finds public methods whose own body checks an argument or throws, and whose Javadoc has no {@code @throws} for it.
 * What a method throws is read from its statements: a {@code throw new} and the checks of {@code Require}; what it
 * calls besides is not followed. A method that overrides another has the documentation of that one.
 */
final class ThrowsTags extends TreePathScanner<Void, Void> {
    private static final String NULL = "NullPointerException";
    private static final String ILLEGAL = "IllegalArgumentException";
    private static final Map<String, Set<String>> CHECKS = Map.of(
            "nonNull", Set.of(NULL),
            "name", Set.of(NULL, ILLEGAL),
            "range", Set.of(ILLEGAL),
            "ratio", Set.of(ILLEGAL),
            "positive", Set.of(NULL, ILLEGAL),
            "notNegative", Set.of(NULL, ILLEGAL),
            "configured", Set.of(NULL, ILLEGAL));

    private final DocTrees docs;
    private final List<String> missing = new ArrayList<>();
    private CompilationUnitTree unit;

    private ThrowsTags(DocTrees docs) {
        this.docs = docs;
    }

    /** Returns one line for each method without a tag that it needs: its place, its name and the tag. */
    static List<String> missing(List<Path> files) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
            ThrowsTags found = new ThrowsTags(DocTrees.instance(task));
            for (CompilationUnitTree parsed : task.parse()) {
                found.unit = parsed;
                found.scan(parsed, null);
            }
            return found.missing;
        }
    }

    @Override
    public Void visitClass(ClassTree type, Void unused) {
        Tree around = getCurrentPath().getParentPath().getLeaf();
        return isPublic(type.getModifiers().getFlags(), around) ? super.visitClass(type, null) : null;
    }

    @Override
    public Void visitMethod(MethodTree method, Void unused) {
        Tree type = getCurrentPath().getParentPath().getLeaf();
        boolean overrides = method.getModifiers().getAnnotations().stream()
                .anyMatch(it -> it.getAnnotationType().toString().equals("Override"));
        if (method.getBody() != null
                && !overrides
                && isPublic(method.getModifiers().getFlags(), type)) {
            String doc = docs.getDocComment(getCurrentPath());
            for (String thrown : thrownBy(method)) {
                if (doc == null || !doc.contains("@throws " + thrown)) {
                    long at = docs.getSourcePositions().getStartPosition(unit, method);
                    missing.add(Path.of(unit.getSourceFile().toUri()) + ":"
                            + unit.getLineMap().getLineNumber(at) + ": " + method.getName() + ": @throws " + thrown);
                }
            }
        }
        return null;
    }

    private static boolean isPublic(Set<Modifier> flags, Tree around) {
        boolean ofInterface = around.getKind() == Tree.Kind.INTERFACE && !flags.contains(Modifier.PRIVATE);
        return ofInterface || flags.contains(Modifier.PUBLIC);
    }

    private static Set<String> thrownBy(MethodTree method) {
        Set<String> thrown = new TreeSet<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitThrow(ThrowTree statement, Void unused) {
                if (statement.getExpression() instanceof NewClassTree made) {
                    String name = made.getIdentifier().toString();
                    if (!name.equals("AssertionError")) {
                        thrown.add(name);
                    }
                }
                return super.visitThrow(statement, null);
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void unused) {
                String called = call.getMethodSelect().toString();
                if (called.startsWith("Require.")) {
                    thrown.addAll(CHECKS.getOrDefault(called.substring("Require.".length()), Set.of()));
                }
                return super.visitMethodInvocation(call, null);
            }

            @Override
            public Void visitLambdaExpression(LambdaExpressionTree later, Void unused) {
                return null;
            }

            @Override
            public Void visitClass(ClassTree inner, Void unused) {
                return null;
            }
        }.scan(method.getBody(), null);
        return thrown;
    }
}
