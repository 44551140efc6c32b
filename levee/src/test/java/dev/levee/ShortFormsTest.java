package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.levee.core.Environment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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
