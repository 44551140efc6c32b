package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.GeneratedFiles.Kind;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.core.env.MapPropertySource;
import org.springframework.javapoet.ClassName;

/** What Spring generates ahead of time of an application with the starter, and tells GraalVM. */
class AheadOfTimeTest {
    private final InMemoryGeneratedFiles files = new InMemoryGeneratedFiles();

    /** A bean with a guarded method. */
    static class Shop {
        @Guarded(value = "payments", fallback = "later")
        public String pay(String order) {
            return order;
        }

        String later(String order, IOException failure) {
            return order + failure;
        }
    }

    /** The application. */
    @Configuration
    static class Application {
        @Bean
        Shop shop() {
            return new Shop();
        }
    }

    private RuntimeHints generate() {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource(
                            "test",
                            Map.of(
                                    "levee.pipelines.payments", "retry,breaker",
                                    "levee.policies.payments-breaker.outcomes.only", "java.io.UncheckedIOException",
                                    "levee.console.enabled", "true")));
            context.register(
                    Application.class,
                    LeveeConsoleAutoConfiguration.class,
                    LeveeAutoConfiguration.class,
                    GuardedAutoConfiguration.class,
                    LeveeActuatorAutoConfiguration.class);
            DefaultGenerationContext generation =
                    new DefaultGenerationContext(new ClassNameGenerator(ClassName.get(AheadOfTimeTest.class)), files);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
            generation.writeGeneratedContent();
            return generation.getRuntimeHints();
        }
    }

    @Test
    void code_is_generated_for_all_beans() throws IOException {
        generate();
        StringBuilder code = new StringBuilder();
        for (var file : files.getGeneratedFiles(Kind.SOURCE).values()) {
            file.getInputStream().transferTo(new java.io.OutputStream() {
                @Override
                public void write(int b) {
                    code.append((char) b);
                }
            });
        }
        assertThat(code)
                .contains("payments-breaker", "leveePolicies", "leveeHealthIndicator", "leveeConsole")
                .contains("registerBeanDefinition(\"payments\"");
    }

    @Test
    void a_native_image_can_call_fallbacks_find_exceptions_and_read_the_page() throws Exception {
        RuntimeHints hints = generate();
        assertThat(hints.reflection().getTypeHint(Shop.class).getMemberCategories())
                .contains(MemberCategory.INVOKE_DECLARED_METHODS);
        assertThat(RuntimeHintsPredicates.reflection().onType(java.io.UncheckedIOException.class))
                .accepts(hints);
        assertThat(RuntimeHintsPredicates.proxies().forInterfaces(LeveeHealth.indicatorType()))
                .accepts(hints);
        assertThat(RuntimeHintsPredicates.resource().forResource("dev/levee/console/page.html"))
                .accepts(hints);
    }
}
