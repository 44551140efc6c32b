package dev.levee;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The Java and Markdown files below a folder, and what in them breaks a rule of the style in CONTRIBUTING. Every rule
 * returns its offenders as {@code file:line: text}, so that a failed test is a list of places to open.
 */
final class SourceTree {

    static final int MAX_LINE = 120;

    private static final Pattern UNBREAKABLE_JAVA = Pattern.compile("(import|package) .*");
    /** A URL that stands alone in its line, behind the mark of a comment, list or link definition. */
    private static final Pattern LONE_URL = Pattern.compile("[\\s*/>\\-]*(\\[[^]]*]: *)?\\S*https?://\\S+");

    private static final Pattern TABLE_ROW = Pattern.compile("\\s*\\|.*");
    /** Not without regard to case: the JDK has a body publisher that is called {@code noBody}. */
    private static final Pattern PERSON =
            Pattern.compile("\\b([Ww]ho|[Ww]hoever|[Ww]hom|[Nn]obody|[Ss]omebody|[Aa]nybody|[Aa]nyone)\\b");

    private static final Pattern SUPERLATIVE = Pattern.compile("(MOST|LARGEST|LONGEST|SMALLEST|SHORTEST)(_.*)?");
    private static final Pattern BEHIND = Pattern.compile("[;,\\s]*(//|/\\*)(.*)");

    private final Path root;
    private final List<Path> java;
    private final List<Path> markdown;

    SourceTree(Path root) throws IOException {
        this.root = root;
        List<Path> files = files(root);
        this.java = files.stream().filter(it -> it.toString().endsWith(".java")).toList();
        this.markdown =
                files.stream().filter(it -> it.toString().endsWith(".md")).toList();
    }

    private static List<Path> files(Path root) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                return Set.of("target", ".git", "node_modules").contains(name)
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(file);
                return FileVisitResult.CONTINUE;
            }
        });
        files.sort(null);
        return files;
    }

    /** Java lines above 120 characters; imports, packages and URLs alone in their line may be longer. */
    List<String> longJavaLines() {
        return lines(java, it -> tooLong(it) && !UNBREAKABLE_JAVA.matcher(it).matches());
    }

    /** Markdown lines above 120 characters; rows of tables and URLs alone in their line may be longer. */
    List<String> longMarkdownLines() {
        return lines(markdown, it -> tooLong(it) && !TABLE_ROW.matcher(it).matches());
    }

    private static boolean tooLong(String line) {
        return line.length() > MAX_LINE && !LONE_URL.matcher(line).matches();
    }

    /** Lines of the library's main sources that speak of threads, futures and endpoints as of persons. */
    List<String> persons() {
        return lines(library(), it -> PERSON.matcher(it).find());
    }

    /** Main files above a number of lines. */
    List<String> longFiles(int max) {
        return main().stream()
                .filter(it -> read(it).size() > max)
                .map(it -> show(it, max + 1, read(it).size() + " lines"))
                .toList();
    }

    /** Packages of main files above a number of files; descriptors do not count. */
    List<String> largePackages(int max) {
        Map<Path, List<Path>> folders = main().stream()
                .filter(it -> !it.toString().endsWith("-info.java"))
                .collect(groupingBy(Path::getParent, TreeMap::new, toList()));
        return folders.entrySet().stream()
                .filter(it -> it.getValue().size() > max)
                .map(it -> root.relativize(it.getKey()) + ": " + it.getValue().size() + " files")
                .toList();
    }

    /** Fields of main files with a comment of 25 characters or more behind them instead of above. */
    List<String> commentsBehindFields() throws IOException {
        List<String> found = new ArrayList<>();
        for (Field field : Declarations.in(main()).fields) {
            Matcher comment = BEHIND.matcher(field.rest);
            if (comment.matches() && comment.group(2).strip().length() >= 25) {
                found.add(show(field.file, field.line, field.name + ": " + field.rest.strip()));
            }
        }
        return found;
    }

    /** Constants that are named by a superlative; the word of the tree is MAX or MIN. */
    List<String> superlatives() throws IOException {
        return Declarations.in(java).fields.stream()
                .filter(it -> it.constant && SUPERLATIVE.matcher(it.name).matches())
                .map(it -> show(it.file, it.line, it.name))
                .toList();
    }

    /** Public methods of the library that throw what their Javadoc does not say. */
    List<String> throwsWithoutTag() throws IOException {
        return ThrowsTags.missing(library());
    }

    /** Simple names that two types of the library's main sources share, with their places. */
    List<String> namesDeclaredTwice(Set<String> allowed) throws IOException {
        Map<String, List<Type>> types =
                Declarations.in(library()).types.stream().collect(groupingBy(Type::name, TreeMap::new, toList()));
        types.keySet().removeAll(allowed);
        return types.values().stream()
                .filter(it -> it.size() > 1)
                .flatMap(List::stream)
                .map(it -> show(it.file, it.line, it.name))
                .toList();
    }

    private List<Path> main() {
        return java.stream().filter(it -> it.toString().contains("/src/main/")).toList();
    }

    /** The main files of what is published: examples and benchmarks are not. */
    private List<Path> library() {
        return main().stream()
                .filter(it -> !root.relativize(it).startsWith("examples")
                        && !root.relativize(it).startsWith("benchmarks"))
                .toList();
    }

    private List<String> lines(Collection<Path> files, Predicate<String> wrong) {
        return files.stream().flatMap(file -> lines(file, wrong)).toList();
    }

    private Stream<String> lines(Path file, Predicate<String> wrong) {
        List<String> lines = read(file);
        return IntStream.range(0, lines.size())
                .filter(i -> wrong.test(lines.get(i)))
                .mapToObj(i -> show(file, i + 1, lines.get(i).strip()));
    }

    private static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    private String show(Path file, long line, String text) {
        return root.relativize(file) + ":" + line + ": " + text;
    }

    /** A type that is not local or anonymous. */
    private record Type(Path file, int line, String name) {}

    /** A field or enum constant, with what stands behind it in its last line. */
    private record Field(Path file, int line, String name, boolean constant, String rest) {}

    /** What Java files declare, read by the compiler's parser. */
    private static final class Declarations extends TreeScanner<Void, CompilationUnitTree> {

        final List<Type> types = new ArrayList<>();
        final List<Field> fields = new ArrayList<>();
        private final SourcePositions positions;
        private boolean local;

        private Declarations(SourcePositions positions) {
            this.positions = positions;
        }

        static Declarations in(List<Path> files) throws IOException {
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
                JavacTask task = (JavacTask) compiler.getTask(
                        null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
                Declarations found = new Declarations(Trees.instance(task).getSourcePositions());
                for (CompilationUnitTree unit : task.parse()) {
                    found.scan(unit, unit);
                }
                return found;
            }
        }

        @Override
        public Void visitClass(ClassTree type, CompilationUnitTree unit) {
            String name = type.getSimpleName().toString();
            if (!name.isEmpty() && !local) {
                types.add(new Type(file(unit), line(unit, positions.getStartPosition(unit, type)), name));
            }
            for (Tree member : type.getMembers()) {
                if (member instanceof VariableTree field) {
                    add(type, field, unit);
                }
            }
            return super.visitClass(type, unit);
        }

        @Override
        public Void visitMethod(MethodTree method, CompilationUnitTree unit) {
            boolean before = local;
            local = true;
            super.visitMethod(method, unit);
            local = before;
            return null;
        }

        private void add(ClassTree type, VariableTree field, CompilationUnitTree unit) {
            long end = positions.getEndPosition(unit, field);
            if (end < 0) {
                return;
            }
            boolean constant = field.getModifiers().getFlags().containsAll(Set.of(Modifier.STATIC, Modifier.FINAL))
                    || type.getKind() == Tree.Kind.INTERFACE;
            String rest = text(unit).substring((int) end).lines().findFirst().orElse("");
            fields.add(new Field(file(unit), line(unit, end), field.getName().toString(), constant, rest));
        }

        private static Path file(CompilationUnitTree unit) {
            return Path.of(unit.getSourceFile().toUri());
        }

        private static int line(CompilationUnitTree unit, long position) {
            return (int) unit.getLineMap().getLineNumber(position);
        }

        private static String text(CompilationUnitTree unit) {
            try {
                return unit.getSourceFile().getCharContent(true).toString();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
