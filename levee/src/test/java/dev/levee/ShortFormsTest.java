package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.levee.core.Environment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The static factories of all modules. */
class ShortFormsTest {

    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(
                    "dev.levee.core",
                    "dev.levee.circuitbreaker",
                    "dev.levee.ratelimit",
                    "dev.levee.loadbalancing",
                    "dev.levee.cache",
                    "dev.levee.http");

    /** A public static method, its result and its parameters. */
    private static final Pattern FACTORY = Pattern.compile(
            "^    public static (?:<[^{;=]*?> )?([A-Z][\\w.]*(?:<[^(;={]*>)?) (\\w+)\\(([^)]*)\\)", Pattern.MULTILINE);

    /** Modules that do not keep to it yet. */
    private static final Pattern LATER = Pattern.compile("integrations/(redis|jdbc|journal)/|benchmarks/|examples/");

    /** A test in manual time needs no longer form than the code that it tests. */
    @Test
    void every_short_form_has_one_with_an_environment() {
        Set<String> missing = new TreeSet<>();
        for (JavaClass type : LIBRARY) {
            if (!type.getModifiers().contains(JavaModifier.PUBLIC)) {
                continue;
            }
            List<JavaMethod> factories = type.getMethods().stream()
                    .filter(method -> method.getModifiers().contains(JavaModifier.STATIC)
                            && method.getModifiers().contains(JavaModifier.PUBLIC)
                            && type.isAssignableFrom(method.getRawReturnType().getName()))
                    .toList();
            Set<String> withEnvironment = factories.stream()
                    .filter(ShortFormsTest::takesEnvironment)
                    .map(ShortFormsTest::withoutEnvironment)
                    .collect(Collectors.toSet());
            Set<String> names = factories.stream()
                    .filter(ShortFormsTest::takesEnvironment)
                    .map(JavaMethod::getName)
                    .collect(Collectors.toSet());
            factories.stream()
                    .filter(method -> !takesEnvironment(method) && names.contains(method.getName()))
                    .map(ShortFormsTest::withoutEnvironment)
                    .filter(form -> !withEnvironment.contains(form))
                    .forEach(form -> missing.add(type.getSimpleName() + "." + form));
        }
        assertThat(missing).isEmpty();
    }

    /**
     * The same for all modules, by their sources, since the classes of some stand on no class path here. A type whose
     * builder takes an environment needs the form with one too.
     */
    @Test
    void every_short_form_of_an_integration_has_one_with_an_environment() throws IOException {
        Set<String> missing = new TreeSet<>();
        for (Path source : Project.paths(Project.root())) {
            String path = source.toString();
            if (path.contains("src/main/java")
                    && path.endsWith(".java")
                    && !LATER.matcher(path).find()) {
                String type = source.getFileName().toString().replace(".java", "");
                missing.addAll(missingForms(type, Files.readString(source)));
            }
        }
        assertThat(missing).isEmpty();
    }

    @Test
    void a_short_form_without_one_is_found() {
        String source = """
                public final class Thing<A> {
                    public static <A> Thing<A> of(String name, Map<String, List<A>> by) {
                    public static <A> Thing<A> of(
                            String name, @Nullable Map<String, List<A>> by, Environment environment) {
                    public static <A> Thing<A> of(
                            String name) {
                    public static String kind(int number) {
                """;
        assertThat(missingForms("Thing", source)).containsExactly("Thing.of[String]");
        assertThat(missingForms(
                        "Thing",
                        "public class Thing {\n    public static Thing of(int one) {\n"
                                + "        public Builder environment(Environment value) {"))
                .containsExactly("Thing.of[int]");
        assertThat(missingForms("Thing", source.replace("public final class", "final class")))
                .isEmpty();
    }

    private static Set<String> missingForms(String type, String source) {
        Set<String> missing = new TreeSet<>();
        if (!Pattern.compile("^public .*(class|interface|record|enum) " + type + "\\b", Pattern.MULTILINE)
                .matcher(source)
                .find()) {
            return missing;
        }
        Set<String> names = new TreeSet<>();
        Set<String> longForms = new TreeSet<>();
        Set<String> shortForms = new TreeSet<>();
        Matcher factories = FACTORY.matcher(source);
        while (factories.find()) {
            List<String> types = parameterTypes(factories.group(3));
            String name = factories.group(2);
            boolean isLong = types.remove("Environment");
            (isLong ? longForms : shortForms).add(name + types);
            if (isLong
                    || (source.contains(" environment(Environment ")
                            && factories.group(1).replaceFirst("<.*", "").equals(type))) {
                names.add(name);
            }
        }
        for (String form : shortForms) {
            if (names.contains(form.substring(0, form.indexOf('['))) && !longForms.contains(form)) {
                missing.add(type + "." + form);
            }
        }
        return missing;
    }

    /** The types without their arguments. */
    private static List<String> parameterTypes(String parameters) {
        String plain = parameters.replaceAll("@\\w+", "");
        while (plain.indexOf('<') >= 0) {
            plain = plain.replaceAll("<[^<>]*>", "");
        }
        List<String> types = new ArrayList<>();
        for (String parameter : plain.split(",", -1)) {
            String[] words = parameter.strip().split("\\s+", -1);
            if (words.length > 1) {
                types.add(words[words.length - 2]);
            }
        }
        return types;
    }

    private static boolean takesEnvironment(JavaMethod factory) {
        return factory.getRawParameterTypes().stream().anyMatch(type -> type.isEquivalentTo(Environment.class));
    }

    private static String withoutEnvironment(JavaMethod factory) {
        List<String> parameters = new ArrayList<>();
        for (JavaClass type : factory.getRawParameterTypes()) {
            if (!type.isEquivalentTo(Environment.class)) {
                parameters.add(type.getSimpleName());
            }
        }
        return factory.getName() + parameters;
    }
}
