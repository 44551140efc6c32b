package dev.levee;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** Types of the JDK, and of the few libraries that pages may name, by their simple names. */
final class LibraryTypes {

    private static final List<String> JDK = List.of("java/", "javax/net/", "javax/sql/", "com/sun/net/httpserver/");

    private static final List<String> LIBRARIES = List.of(
            "org/slf4j/",
            "org/jspecify/annotations/",
            "com/github/benmanes/caffeine/cache/",
            "org/springframework/cache/",
            "javax/cache/",
            "io/grpc/",
            "io/micrometer/",
            "io/prometheus/metrics/model/",
            "org/junit/jupiter/api/",
            "net/jqwik/api/");

    /** Pages name methods of these without the type. */
    private static final List<String> FAMILIAR = List.of(
            "java.lang.Deprecated",
            "java.lang.Math",
            "java.lang.Throwable",
            "java.net.http.HttpRequest",
            "java.net.http.HttpResponse$BodyHandlers",
            "java.net.http.HttpRequest$BodyPublishers",
            "java.time.Duration",
            "java.util.concurrent.CompletableFuture",
            "java.util.concurrent.locks.LockSupport");

    private static final LibraryTypes LOADED = load();

    /** Simple name to binary names. */
    private final Map<String, List<String>> types = new HashMap<>();

    private LibraryTypes() {}

    static LibraryTypes loaded() {
        return LOADED;
    }

    private static LibraryTypes load() {
        LibraryTypes library = new LibraryTypes();
        FileSystem runtime = FileSystems.getFileSystem(URI.create("jrt:/"));
        for (String module : List.of("java.base", "java.net.http", "java.sql", "java.naming", "jdk.httpserver")) {
            Path classes = runtime.getPath("modules", module);
            try (Stream<Path> files = Files.walk(classes)) {
                files.forEach(it -> library.add(classes.relativize(it).toString(), JDK));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (entry.endsWith(".jar")) {
                try (JarFile jar = new JarFile(entry)) {
                    jar.stream().forEach(it -> library.add(it.getName(), LIBRARIES));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return library;
    }

    private void add(String classFile, List<String> packages) {
        if (!classFile.endsWith(".class") || packages.stream().noneMatch(classFile::startsWith)) {
            return;
        }
        String name =
                classFile.substring(0, classFile.length() - ".class".length()).replace('/', '.');
        String simple = name.substring(Math.max(name.lastIndexOf('.'), name.lastIndexOf('$')) + 1);
        types.computeIfAbsent(simple, it -> new ArrayList<>()).add(name);
    }

    boolean has(String simpleName) {
        return types.containsKey(simpleName);
    }

    boolean hasPackage(String name) {
        return types.values().stream().flatMap(List::stream).anyMatch(it -> it.startsWith(name + "."));
    }

    /** Whether a type of that name has a public method, field or member type of that name. */
    boolean hasMember(String type, String member) {
        return types.getOrDefault(type, List.of()).stream().anyMatch(it -> declares(it, member));
    }

    /** Whether it is a method of one of the few types whose methods are known by themselves. */
    boolean hasMethod(String name) {
        return FAMILIAR.stream().anyMatch(it -> declares(it, name));
    }

    private static boolean declares(String type, String member) {
        try {
            Class<?> loaded = Class.forName(type, false, LibraryTypes.class.getClassLoader());
            return Stream.of(loaded.getMethods()).map(Method::getName).anyMatch(member::equals)
                    || Stream.of(loaded.getFields()).map(Field::getName).anyMatch(member::equals)
                    || Stream.of(loaded.getClasses()).map(Class::getSimpleName).anyMatch(member::equals);
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
