package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.ContextCarrier;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Fallback methods that run on other threads than their calls, and answers that do not fit. */
class GuardedFallbacksTest {
    private static final ThreadLocal<String> USER = new ThreadLocal<>();

    private static final Environment CARRYING =
            Environment.builder().context(carrier()).build();

    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(LeveeAutoConfiguration.class, GuardedAutoConfiguration.class))
            .withBean("leveeEnvironment", Environment.class, () -> CARRYING)
            .withBean(Client.class)
            .withPropertyValues(
                    "levee.policies.brake.kind=breaker",
                    "levee.policies.standard.kind=fallback",
                    "levee.policies.standard.value=none",
                    "levee.policies.nothing.kind=fallback",
                    "levee.policies.nothing.nothing=true");

    private static ContextCarrier carrier() {
        return () -> {
            String captured = USER.get();
            return () -> {
                String before = USER.get();
                USER.set(captured);
                return () -> USER.set(before);
            };
        };
    }

    static class Client {
        private final List<String> seen = new ArrayList<>();
        private final CompletableFuture<String> substitute = new CompletableFuture<>();
        private final CompletableFuture<String> source = new CompletableFuture<>();

        // The fields of a proxy are not those of the object behind it.

        List<String> seen() {
            return seen;
        }

        CompletableFuture<String> substitute() {
            return substitute;
        }

        CompletableFuture<String> source() {
            return source;
        }

        private void see() {
            Deadline deadline = CallContext.current().deadline();
            seen.add(USER.get() + (deadline == null ? " for ever" : " in time"));
        }

        @Guarded(value = "brake", fallback = "instead")
        public CompletableFuture<String> ask() {
            return source;
        }

        @SuppressWarnings("unused")
        private CompletableFuture<String> instead(IOException failure) {
            see();
            return substitute;
        }

        @Guarded(value = "brake", fallback = "other")
        public Mono<String> mono() {
            return Mono.fromFuture(source);
        }

        @SuppressWarnings("unused")
        private Mono<String> other(IOException failure) {
            see();
            return Mono.just("other");
        }

        @Guarded(value = "brake", fallback = "others")
        public Flux<String> flux() {
            return Flux.from(Mono.fromFuture(source));
        }

        @SuppressWarnings("unused")
        private Flux<String> others(IOException failure) {
            see();
            return Flux.just("others");
        }

        @Guarded("standard")
        public Integer count() throws IOException {
            throw new IOException("down");
        }

        @Guarded("nothing")
        public int number() throws IOException {
            throw new IOException("down");
        }

        @Guarded("nothing")
        public void nothing() throws IOException {
            throw new IOException("down");
        }
    }

    private static void fail(Client client) throws InterruptedException {
        Thread thread = new Thread(() -> client.source().completeExceptionally(new IOException("down")));
        thread.start();
        thread.join();
    }

    @Test
    void a_fallback_of_a_stage_runs_in_the_context_of_the_call() {
        APP.run(context -> {
            Client client = context.getBean(Client.class);
            USER.set("ann");
            CompletableFuture<String> answer;
            try {
                Deadline deadline = Deadline.after(Duration.ofMinutes(1), CARRYING.clock());
                answer = CallContext.current()
                        .withDeadline(deadline)
                        .<CompletableFuture<String>, RuntimeException>call(client::ask);
            } finally {
                USER.remove();
            }
            fail(client);
            assertThat(client.seen()).containsExactly("ann in time");
            client.substitute().complete("instead");
            assertThat(answer.get(20, TimeUnit.SECONDS)).isEqualTo("instead");
        });
    }

    @Test
    void a_fallback_of_a_publisher_runs_in_the_context_of_its_subscriber() {
        APP.run(context -> {
            Client client = context.getBean(Client.class);
            CompletableFuture<String> mono;
            CompletableFuture<List<String>> flux;
            Deadline deadline = Deadline.after(Duration.ofMinutes(1), CARRYING.clock());
            CallContext call = CallContext.current().withDeadline(deadline);
            USER.set("ann");
            try {
                mono = client.mono()
                        .contextWrite(own -> own.put(CallContext.class, call))
                        .toFuture();
                flux = client.flux()
                        .contextWrite(own -> own.put(CallContext.class, call))
                        .collectList()
                        .toFuture();
            } finally {
                USER.remove();
            }
            fail(client);
            assertThat(mono.get(20, TimeUnit.SECONDS)).isEqualTo("other");
            assertThat(flux.get(20, TimeUnit.SECONDS)).containsExactly("others");
            assertThat(client.seen()).containsExactly("ann in time", "ann in time");
        });
    }

    @Test
    void a_cancel_reaches_the_stage_of_the_fallback() {
        APP.run(context -> {
            Client client = context.getBean(Client.class);
            CompletableFuture<String> answer = client.ask();
            fail(client);
            answer.cancel(true);
            assertThat(client.substitute()).isCancelled();
        });
    }

    @Test
    void the_failure_of_a_fallback_is_its_own() {
        APP.run(context -> {
            Client client = context.getBean(Client.class);
            AtomicReference<Throwable> told = new AtomicReference<>();
            CompletableFuture<String> answer = client.ask();
            answer.whenComplete((value, error) -> told.set(error));
            fail(client);
            client.substitute().completeExceptionally(new CompletionException(new IOException("down too")));
            assertThat(told.get()).isInstanceOf(IOException.class).hasMessage("down too");
        });
    }

    @Test
    void an_answer_of_another_type_than_that_of_the_method_is_named() {
        APP.run(context -> {
            Client client = context.getBean(Client.class);
            assertThatThrownBy(client::count)
                    .isInstanceOf(ClassCastException.class)
                    .hasMessage("method \"count\" of " + Client.class.getName() + " returns java.lang.Integer, but the"
                            + " answer of \"standard\" is a java.lang.String");
            assertThatThrownBy(client::number)
                    .isInstanceOf(ClassCastException.class)
                    .hasMessageContaining("returns int, but the answer of \"nothing\" is null");
            client.nothing();
        });
    }
}
