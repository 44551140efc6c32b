package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** The program that converts the configuration of resilience4j, as a user runs it. */
class ConvertTest {
    private static final String BEFORE = """
            resilience4j:
              circuitbreaker:
                configs:
                  default:
                    failureRateThreshold: 40 # percent
                    waitDurationInOpenState: 5000
                instances:
                  payments:
                    baseConfig: default
                    sliding-window-type: TIME_BASED
                    slidingWindowSize: 10
                    ignoreExceptions:
                      - java.io.FileNotFoundException
                      - "java.lang.IllegalStateException"
                    eventConsumerBufferSize: 7
              retry:
                instances:
                  payments: {}
                  catalog:
                    maxAttempts: 4
                    waitDuration: 500ms
              ratelimiter.instances.catalog.limitForPeriod: 10
              ratelimiter.instances.catalog.limitRefreshPeriod: 1s
              timelimiter.instances.payments.timeoutDuration: 2s
            server:
              port: 8080
            """;

    @Test
    void what_it_writes_starts_an_application(@TempDir Path folder) throws Exception {
        Path program = Path.of("convert/ConvertResilience4j.java");
        if (!Files.exists(program)) {
            program = Path.of("integrations/spring-boot-starter").resolve(program);
        }
        Path before = Files.writeString(folder.resolve("application.yml"), BEFORE);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        program.toString(),
                        before.toString())
                .redirectErrorStream(true)
                .start();
        String after = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(after).isZero();
        assertThat(after)
                .contains("# not converted: resilience4j.circuitbreaker.instances.payments.eventConsumerBufferSize: 7")
                .doesNotContain("8080");
        List<PropertySource<?>> loaded = new YamlPropertySourceLoader()
                .load("converted", new ByteArrayResource(after.getBytes(StandardCharsets.UTF_8)));
        ConfigurationTest.APP
                .withInitializer(context -> loaded.forEach(
                        each -> context.getEnvironment().getPropertySources().addFirst(each)))
                .run(context -> {
                    CircuitBreaker breaker = context.getBean(CircuitBreaker.class);
                    assertThat(breaker.config().failureRate()).isEqualTo(0.4);
                    assertThat(breaker.config().openFor()).hasSeconds(5);
                    assertThat(breaker.config().timeWindow()).hasSeconds(10);
                    assertThat(context.getBean("payments", Pipeline.class).policies())
                            .extracting(Policy::name)
                            .containsExactly("payments-retry", "payments-breaker", "payments-timeout");
                    assertThat(context.getBean("catalog-retry")).asString().contains("up to 4 attempts");
                    assertThat(context.getBean("catalog-limiter")).isNotNull();
                });
    }
}
