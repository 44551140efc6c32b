package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.WithoutLibrary;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The threads that the library starts: what they inherit, and how they end. */
class ThreadsOfTheMachineTest {
    private static final InheritableThreadLocal<String> IDENTITY = new InheritableThreadLocal<>();

    /** Runs a task on a thread that has an identity, a class loader, a group and a priority of its own. */
    @SuppressWarnings("ThreadPriorityCheck") // a priority that must not be inherited
    private static void onBehalfOfAnother(Runnable task) throws Exception {
        ThreadGroup group = new ThreadGroup("of another caller");
        Thread caller = new Thread(group, () -> {
            IDENTITY.set("another caller");
            Thread.currentThread().setContextClassLoader(new URLClassLoader(new URL[0]));
            task.run();
        });
        caller.setPriority(Thread.MAX_PRIORITY);
        caller.start();
        caller.join();
    }

    private static List<Object> inheritedBy(Thread thread) {
        List<Object> inherited = new ArrayList<>();
        inherited.add(IDENTITY.get());
        inherited.add(thread.getContextClassLoader());
        inherited.add(thread.getPriority());
        inherited.add(thread.getThreadGroup().getName().equals("of another caller"));
        return inherited;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void inherit_nothing_from_the_thread_that_needs_them_first(boolean onTimer) throws Exception {
        try (Environment environment = Environment.closeable("test")) {
            List<Object> seen = new ArrayList<>();
            CountDownLatch ran = new CountDownLatch(1);
            Runnable task = () -> {
                seen.addAll(inheritedBy(Thread.currentThread()));
                ran.countDown();
            };
            onBehalfOfAnother(() -> {
                if (onTimer) {
                    environment.scheduler().schedule(task, 0);
                } else {
                    environment.executor().execute(task);
                }
            });
            assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(seen).containsExactly(null, ClassLoader.getSystemClassLoader(), Thread.NORM_PRIORITY, false);
        }
    }

    @Test
    void a_call_that_was_queued_does_not_run_under_the_identity_of_the_caller_that_made_room() throws Exception {
        Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1).queue(1, Duration.ofMinutes(1)));
        CompletableFuture<String> running = new CompletableFuture<>();
        bulkhead.callAsync(() -> running);
        CompletableFuture<String> queued =
                bulkhead.callAsync(() -> CompletableFuture.completedFuture(String.valueOf(IDENTITY.get())));
        onBehalfOfAnother(() -> running.complete("yes"));
        assertThat(queued.get(10, TimeUnit.SECONDS)).isEqualTo("null");
    }

    @Test
    void a_task_does_not_leave_its_class_loader_to_the_next_one() throws Exception {
        try (Environment environment = Environment.closeable("test")) {
            for (int i = 0; i < 50; i++) {
                CompletableFuture<ClassLoader> found = new CompletableFuture<>();
                environment.executor().execute(() -> {
                    found.complete(Thread.currentThread().getContextClassLoader());
                    Thread.currentThread().setContextClassLoader(new URLClassLoader(new URL[0]));
                });
                assertThat(found.get(10, TimeUnit.SECONDS)).isSameAs(ClassLoader.getSystemClassLoader());
            }
        }
    }

    @Nested
    class Closing {
        @Test
        void ends_the_timer_thread_and_takes_no_more_timers_and_tasks() throws Exception {
            Environment environment = Environment.closeable("ends");
            CompletableFuture<Thread> timer = new CompletableFuture<>();
            environment.scheduler().schedule(() -> timer.complete(Thread.currentThread()), 0);
            environment.close();
            if (timer.isDone()) {
                timer.join().join(10_000);
                assertThat(timer.join().isAlive()).isFalse();
            }
            assertThatThrownBy(() -> environment.scheduler().schedule(() -> {}, 0))
                    .isInstanceOf(RejectedExecutionException.class);
            assertThatThrownBy(() -> environment.executor().execute(() -> {}))
                    .isInstanceOf(RejectedExecutionException.class);
            assertThatCode(environment::close).as("again").doesNotThrowAnyException();
        }

        @Test
        void ends_an_idle_timer_thread_and_those_of_environments_made_of_it() throws Exception {
            Environment environment = Environment.closeable("idle");
            Environment listening =
                    environment.toBuilder().listener(Listener.NONE).build();
            CompletableFuture<Thread> timer = new CompletableFuture<>();
            listening.scheduler().schedule(() -> timer.complete(Thread.currentThread()), 0);
            Thread thread = timer.get(10, TimeUnit.SECONDS);
            assertThat(thread.getName()).startsWith("levee-timer-idle");
            listening.close();
            thread.join(10_000);
            assertThat(thread.isAlive()).isFalse();
            assertThatThrownBy(() -> environment.scheduler().schedule(() -> {}, 0))
                    .isInstanceOf(RejectedExecutionException.class);
        }

        @Test
        void does_not_interrupt_work() throws Exception {
            Environment environment = Environment.closeable("work");
            CountDownLatch go = new CountDownLatch(1);
            CompletableFuture<String> future = Bulkhead.of("b", 1, environment)
                    .callAsync(environment.executor(), () -> {
                        go.await();
                        return "done";
                    });
            environment.close();
            go.countDown();
            assertThat(future.get(10, TimeUnit.SECONDS)).isEqualTo("done");
        }

        @Test
        void does_nothing_to_the_shared_environment() throws Exception {
            Environment.system().close();
            CompletableFuture<String> ran = new CompletableFuture<>();
            Environment.system().scheduler().schedule(() -> ran.complete("yes"), 0);
            assertThat(ran.get(10, TimeUnit.SECONDS)).isEqualTo("yes");
        }

        @Test
        void lets_the_class_loader_of_the_application_go() throws Exception {
            WeakReference<ClassLoader> loader = useInAnApplication();
            for (int i = 0; i < 200 && loader.get() != null; i++) {
                System.gc();
                new CountDownLatch(1).await(50, TimeUnit.MILLISECONDS); // threads need a moment to end
            }
            assertThat(loader.get()).isNull();
        }

        private WeakReference<ClassLoader> useInAnApplication() throws Exception {
            URL[] classes = {locationOf(Environment.class), locationOf(Application.class)};
            URLClassLoader application =
                    new URLClassLoader(classes, new WithoutLibrary(ThreadsOfTheMachineTest.class.getClassLoader()));
            Class<?> main = application.loadClass(Application.class.getName());
            assertThat(main).isNotSameAs(Application.class);
            ((Runnable) main.getConstructor().newInstance()).run();
            application.close();
            return new WeakReference<>(application);
        }

        private URL locationOf(Class<?> type) {
            return type.getProtectionDomain().getCodeSource().getLocation();
        }
    }

    /** What an application does with the library, loaded by its own class loader, and called by a thread that stays. */
    public static final class Application implements Runnable {
        @Override
        public void run() {
            try (Environment environment = Environment.closeable("application")) {
                Pipeline guard = Pipeline.of(
                        Retry.of("r", config -> config.maxAttempts(2), environment),
                        Timeout.of("t", Duration.ofSeconds(10), environment),
                        Bulkhead.of(
                                "b", config -> config.maxConcurrent(1).queue(9, Duration.ofSeconds(9)), environment));
                int[] attempts = new int[1];
                require("yes".equals(guard.call(() -> {
                    if (attempts[0]++ == 0) {
                        throw new IOException("disk");
                    }
                    return "yes";
                })));
                require("yes"
                        .equals(guard.callAsync(environment.executor(), () -> "yes")
                                .get(10, TimeUnit.SECONDS)));
                require("yes".equals(Hedge.of("h", config -> {}, environment).call(() -> "yes")));
                CompletableFuture<String> first = new CompletableFuture<>();
                guard.callAsync(() -> first);
                CompletableFuture<String> queued = guard.callAsync(() -> CompletableFuture.completedFuture("queued"));
                first.complete("first");
                require("queued".equals(queued.get(10, TimeUnit.SECONDS)));
                Timeout quick = Timeout.of("quick", Duration.ofMillis(1), environment);
                require(quick.callAsync(CompletableFuture::new)
                        .handle((result, error) -> error != null)
                        .get(10, TimeUnit.SECONDS));
                environment.scheduler().schedule(() -> {}, TimeUnit.HOURS.toNanos(1));
            } catch (Exception failed) {
                throw new IllegalStateException(failed);
            }
        }

        private static void require(boolean condition) {
            if (!condition) {
                throw new IllegalStateException();
            }
        }
    }
}
