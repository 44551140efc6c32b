package dev.levee;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * One Java block of a Markdown file.
 *
 * <ul>
 *   <li>A block with {@code void main(} is a file: it brings its imports, and its main method runs.
 *   <li>Any other block is the body of a method that may throw anything. It may begin with imports and declare classes,
 *       interfaces and records; the packages in {@link #IMPORTS} are imported already.
 *   <li>An HTML comment that begins with {@code <!-- java} gives the next block what the reader need not see: it stands
 *       before the block's first line. Use it for the reader's own types and variables.
 *   <li>{@code ```java compile} compiles a block without running it, for what would not end or needs the network.
 * </ul>
 *
 * <p>Lines of the compiled source are the lines of the Markdown file, so that an error names the line to fix.
 */
record Snippet(Path file, int line, List<String> source, boolean run) {

    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

    /** One for all, because it takes longer to list the jars of the class path than to compile a block. */
    private static final StandardJavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);

    private static final String IMPORTS = Stream.of(
                    "java.io",
                    "java.net",
                    "java.net.http",
                    "java.time",
                    "java.util",
                    "java.util.concurrent",
                    "java.util.function",
                    "dev.levee.core",
                    "dev.levee.core.consistency",
                    "dev.levee.core.histogram",
                    "dev.levee.core.idempotency",
                    "dev.levee.core.policy",
                    "dev.levee.core.signals",
                    "dev.levee.core.testing",
                    "dev.levee.circuitbreaker",
                    "dev.levee.ratelimit",
                    "dev.levee.ratelimit.concurrency",
                    "dev.levee.ratelimit.shared",
                    "dev.levee.loadbalancing",
                    "dev.levee.loadbalancing.discovery",
                    "dev.levee.loadbalancing.strategy",
                    "dev.levee.cache")
            .map(it -> "import " + it + ".*;")
            .collect(Collectors.joining(" ", "", " import static java.time.Duration.*; "));

    private static final Pattern FENCE = Pattern.compile("(?<indent> *)```java(?<options>( .*)?)");
    private static final Pattern MAIN = Pattern.compile("\\bvoid main\\(");
    private static final Pattern TYPE = Pattern.compile("\\b(?:class|interface|record|enum) (\\w+)");
    private static final Pattern IMPORT = Pattern.compile("import [\\w.* ]+;");

    /** The Java blocks of a file, in order. */
    static List<Snippet> in(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<Snippet> snippets = new ArrayList<>();
        List<String> source = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher fence = FENCE.matcher(line);
            boolean hidden = line.strip().startsWith("<!-- java");
            if (!hidden && !fence.matches()) {
                continue;
            }
            String end = hidden ? "-->" : "```";
            int first = i + 1;
            pad(source, first);
            for (i++; !lines.get(i).strip().equals(end); i++) {
                source.add(lines.get(i));
                if (i + 1 == lines.size()) {
                    throw new AssertionError(file + ":" + first + ": block without " + end);
                }
            }
            if (!hidden) {
                boolean run = !fence.group("options").contains("compile");
                snippets.add(new Snippet(file, first, List.copyOf(source), run));
                source.clear();
            }
        }
        return snippets;
    }

    private static void pad(List<String> source, int length) {
        while (source.size() < length) {
            source.add("");
        }
    }

    /** Compiles it, and runs it unless it is to be compiled only; throws what it throws. */
    void verify() throws Throwable {
        Path classes = Files.createTempDirectory("snippet");
        try {
            String main = compile(classes);
            if (run) {
                run(classes, main);
            }
        } finally {
            delete(classes);
        }
    }

    private String compile(Path classes) throws IOException {
        String text = String.join("\n", source);
        boolean isFile = MAIN.matcher(text).find();
        String name = isFile ? firstType(text) : "Snippet";
        String unit = isFile ? text : method(name);

        StringWriter errors = new StringWriter();
        List<String> options =
                List.of("--release", "17", "-proc:none", "-Xlint:all", "-d", classes.toString(), "-cp", classPath());
        boolean compiled = COMPILER.getTask(errors, FILES, null, options, null, List.of(new Source(name, unit)))
                .call();
        if (!compiled) {
            throw new AssertionError(
                    this + " does not compile (line numbers are those of the Markdown file)\n" + errors);
        }
        return name;
    }

    private String firstType(String text) {
        Matcher type = TYPE.matcher(text);
        if (!type.find()) {
            throw new AssertionError(this + " has a main method, but no class");
        }
        return type.group(1);
    }

    /** The block as a method, its imports moved before the class, every line where it was. */
    private String method(String name) {
        StringBuilder imports = new StringBuilder(IMPORTS);
        List<String> body = new ArrayList<>(source);
        for (int i = 0; i < body.size(); i++) {
            if (IMPORT.matcher(body.get(i).strip()).matches()) {
                imports.append(body.set(i, "").strip()).append(' ');
            }
        }
        String open = imports + "class " + name + " { public static void main(String[] args) throws Throwable { ";
        body.set(0, open + body.get(0));
        return String.join("\n", body) + "\n}}";
    }

    private static void run(Path classes, String main) throws Throwable {
        ClassLoader parent = Snippet.class.getClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, parent)) {
            Method method = loader.loadClass(main).getDeclaredMethod("main", String[].class);
            method.setAccessible(true);
            method.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Override
    public String toString() {
        return Project.root().relativize(file) + ":" + line;
    }

    private static final class Source extends SimpleJavaFileObject {

        private final String text;

        Source(String name, String text) {
            super(URI.create("snippet:///" + name + Kind.SOURCE.extension), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
