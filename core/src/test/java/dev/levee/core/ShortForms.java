package dev.levee.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds static factories of a module that have a form with an {@link Environment}, but not for all parameters. */
public final class ShortForms {
    private ShortForms() {}

    /** Returns the forms that are missing, and fails if the module has no factory with an environment at all. */
    public static Set<String> missing(Class<?> ofModule) {
        Set<String> missing = new TreeSet<>();
        boolean any = false;
        for (Class<?> type : publicTypes(ofModule)) {
            List<Method> factories = Arrays.stream(type.getDeclaredMethods())
                    .filter(method -> Modifier.isStatic(method.getModifiers())
                            && Modifier.isPublic(method.getModifiers())
                            && type.isAssignableFrom(method.getReturnType()))
                    .toList();
            List<Method> with =
                    factories.stream().filter(ShortForms::takesEnvironment).toList();
            Set<String> names = with.stream().map(Method::getName).collect(Collectors.toSet());
            Set<String> forms = with.stream().map(ShortForms::form).collect(Collectors.toSet());
            any |= !with.isEmpty();
            factories.stream()
                    .filter(method -> !takesEnvironment(method) && names.contains(method.getName()))
                    .map(ShortForms::form)
                    .filter(form -> !forms.contains(form))
                    .forEach(form -> missing.add(type.getSimpleName() + "." + form));
        }
        if (!any) {
            throw new AssertionError("no factory takes an environment");
        }
        return missing;
    }

    private static List<Class<?>> publicTypes(Class<?> ofModule) {
        try {
            Path root = Path.of(
                    ofModule.getProtectionDomain().getCodeSource().getLocation().toURI());
            try (Stream<Path> files = Files.walk(root)) {
                List<Class<?>> types = new ArrayList<>();
                for (Path file : files.filter(it -> it.toString().endsWith(".class")
                                && !it.endsWith("module-info.class")
                                && !it.endsWith("package-info.class"))
                        .toList()) {
                    String name = root.relativize(file)
                            .toString()
                            .replace(file.getFileSystem().getSeparator(), ".");
                    Class<?> type = Class.forName(
                            name.substring(0, name.length() - ".class".length()), false, ofModule.getClassLoader());
                    if (Modifier.isPublic(type.getModifiers())) {
                        types.add(type);
                    }
                }
                return types;
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (URISyntaxException | ClassNotFoundException failed) {
            throw new AssertionError(failed);
        }
    }

    private static boolean takesEnvironment(Method factory) {
        return List.of(factory.getParameterTypes()).contains(Environment.class);
    }

    private static String form(Method factory) {
        return factory.getName()
                + Arrays.stream(factory.getParameterTypes())
                        .filter(type -> type != Environment.class)
                        .map(Class::getSimpleName)
                        .toList();
    }
}
