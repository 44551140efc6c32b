package dev.levee.jcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.cache.Cache;
import javax.cache.CacheException;
import javax.cache.CacheManager;
import javax.cache.configuration.Factory;
import javax.cache.configuration.MutableConfiguration;
import javax.cache.integration.CacheLoaderException;
import javax.cache.integration.CacheWriterException;
import javax.cache.processor.EntryProcessor;
import javax.cache.processor.EntryProcessorException;
import javax.cache.processor.EntryProcessorResult;
import javax.cache.processor.MutableEntry;
import org.junit.jupiter.api.Test;

/** Entry processors: one at a time for each key, called once, outside of any lock of a table. */
class EntryProcessorTest {
    private final ManualTime time = new ManualTime();
    private final CacheManager manager = new LeveeCachingProvider(time.environment()).getCacheManager();
    private final LeveeJCacheTest.Table table = new LeveeJCacheTest.Table();
    private final Cache<String, String> plain = manager.createCache("plain", new MutableConfiguration<>());
    private final Cache<String, String> writing = manager.createCache(
            "writing",
            new MutableConfiguration<String, String>()
                    .setReadThrough(true)
                    .setCacheLoaderFactory(factory(table))
                    .setWriteThrough(true)
                    .setCacheWriterFactory(factory(table)));

    private static <T> Factory<T> factory(T of) {
        return new Same<>(of);
    }

    private record Same<T>(T object) implements Factory<T> {
        @Override
        public T create() {
            return object;
        }
    }

    private static String add(MutableEntry<String, String> entry, Object... more) {
        String was = entry.getValue();
        entry.setValue((was == null ? "" : was) + more[0]);
        return was;
    }

    private static <T> FutureTask<T> start(java.util.concurrent.Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "other");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    @Test
    void a_processor_reads_changes_and_removes() {
        assertThat(plain.<String>invoke("a", EntryProcessorTest::add, "1")).isNull();
        assertThat(plain.<String>invoke("a", EntryProcessorTest::add, "2")).isEqualTo("1");
        assertThat(plain.get("a")).isEqualTo("12");
        assertThat(plain.<Boolean>invoke("a", (entry, none) -> {
                    assertThat(entry.getKey()).isEqualTo("a");
                    boolean there = entry.exists();
                    entry.remove();
                    assertThat(entry.exists()).isFalse();
                    assertThat(entry.getValue()).isNull();
                    return there;
                }))
                .isTrue();
        assertThat(plain.containsKey("a")).isFalse();
        plain.invoke("a", (entry, none) -> {
            entry.setValue("3");
            assertThat(entry.exists()).isTrue();
            entry.remove();
            return null;
        });
        assertThat(plain.containsKey("a")).isFalse();
        plain.invoke("a", (entry, none) -> {
            entry.setValue("4");
            return null;
        });
        plain.invoke("a", (entry, none) -> {
            entry.remove();
            entry.setValue("5");
            return entry.unwrap(MutableEntry.class);
        });
        assertThat(plain.get("a")).isEqualTo("5");
    }

    @Test
    void a_processor_with_a_store_loads_when_it_asks_for_the_value_and_writes_once_at_its_end() {
        table.rows.put("a", "1");
        assertThat(writing.<Boolean>invoke("a", (entry, none) -> entry.exists()))
                .as("of the cache alone")
                .isFalse();
        assertThat(table.log).isEmpty();
        assertThat(writing.<String>invoke("a", EntryProcessorTest::add, "2")).isEqualTo("1");
        assertThat(table.rows).containsEntry("a", "12");
        assertThat(table.log).containsExactly("load a", "write a");
        table.log.clear();
        writing.invoke("b", (entry, none) -> {
            entry.exists();
            entry.setValue("x");
            entry.setValue("y");
            return null;
        });
        writing.invoke("a", (entry, none) -> {
            entry.remove();
            return null;
        });
        writing.invoke("c", (entry, none) -> {
            entry.setValue("z");
            entry.remove();
            return null;
        });
        assertThat(table.log).containsExactly("write b", "delete a");
        assertThat(table.rows).isEqualTo(Map.of("b", "y"));
        assertThat(writing.get("b")).isEqualTo("y");
    }

    @Test
    void a_failure_of_a_processor_changes_nothing_and_comes_out_as_the_cause() {
        plain.put("a", "1");
        IllegalStateException broken = new IllegalStateException("broken");
        assertThatThrownBy(() -> plain.invoke("a", (entry, none) -> {
                    entry.setValue("2");
                    throw broken;
                }))
                .isInstanceOf(EntryProcessorException.class)
                .hasCause(broken);
        assertThat(plain.get("a")).isEqualTo("1");
        table.before = () -> {
            throw broken;
        };
        assertThatThrownBy(() -> writing.invoke("a", (entry, none) -> entry.getValue()))
                .isInstanceOf(CacheLoaderException.class);
        assertThatThrownBy(() -> writing.invoke("a", (entry, none) -> {
                    entry.setValue("2");
                    return null;
                }))
                .isInstanceOf(CacheWriterException.class);
        assertThat(writing.containsKey("a")).isFalse();
    }

    @Test
    void of_several_keys_each_has_a_result_or_a_failure() {
        plain.put("a", "1");
        plain.put("b", "2");
        Map<String, EntryProcessorResult<String>> results =
                plain.invokeAll(Set.of("a", "b", "c"), (MutableEntry<String, String> entry, Object... none) -> {
                    if (entry.getKey().equals("b")) {
                        throw new IllegalStateException("broken");
                    }
                    return entry.getValue();
                });
        assertThat(results).containsOnlyKeys("a", "b");
        assertThat(results.get("a").get()).isEqualTo("1");
        assertThatThrownBy(() -> results.get("b").get())
                .isInstanceOf(EntryProcessorException.class)
                .hasRootCauseMessage("broken");
    }

    @Test
    void nulls_wrong_types_and_a_closed_cache_are_refused() {
        assertThatNullPointerException().isThrownBy(() -> plain.invoke(null, EntryProcessorTest::add, "1"));
        assertThatNullPointerException().isThrownBy(() -> plain.invoke("a", null));
        assertThatNullPointerException().isThrownBy(() -> plain.invokeAll(null, EntryProcessorTest::add, "1"));
        assertThatThrownBy(() -> plain.invoke("a", (entry, none) -> {
                    entry.setValue(null);
                    return null;
                }))
                .isInstanceOf(EntryProcessorException.class)
                .hasCauseInstanceOf(NullPointerException.class);
        plain.close();
        assertThatThrownBy(() -> plain.invoke("a", EntryProcessorTest::add, "1"))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_value_that_a_processor_changes_in_place_is_not_that_of_a_cache_by_value() {
        Cache<String, Box> boxes = manager.createCache("boxes", new MutableConfiguration<>());
        boxes.put("a", new Box(1));
        boxes.invoke("a", (entry, none) -> entry.getValue().count++);
        assertThat(boxes.get("a").count).isEqualTo(1);
        boxes.invoke("a", (entry, none) -> {
            Box box = entry.getValue();
            box.count++;
            entry.setValue(box);
            return null;
        });
        assertThat(boxes.get("a").count).isEqualTo(2);
    }

    private static final class Box implements Serializable {
        private static final long serialVersionUID = 1L;
        int count;

        Box(int count) {
            this.count = count;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Box box && box.count == count;
        }

        @Override
        public int hashCode() {
            return count;
        }
    }

    @Test
    void no_change_of_its_key_comes_in_between_and_each_processor_is_called_once() throws Exception {
        int threads = 4;
        int each = 200;
        plain.put("a", "0");
        List<FutureTask<Void>> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            boolean invokes = i % 2 == 0;
            running.add(start(() -> {
                for (int k = 0; k < each; k++) {
                    if (invokes) {
                        plain.invoke("a", (entry, none) -> {
                            entry.setValue("" + (Integer.parseInt(entry.getValue()) + 1));
                            return null;
                        });
                    } else {
                        String seen;
                        do {
                            seen = plain.get("a");
                        } while (!plain.replace("a", seen, "" + (Integer.parseInt(seen) + 1)));
                    }
                }
                return null;
            }));
        }
        for (FutureTask<Void> task : running) {
            result(task);
        }
        assertThat(plain.get("a")).isEqualTo("" + threads * each);
    }

    @Test
    void a_clear_while_it_runs_is_not_undone() throws Exception {
        plain.put("a", "1");
        plain.invoke("a", (entry, none) -> {
            String seen = entry.getValue();
            plain.clear();
            entry.setValue(seen + "2");
            return null;
        });
        assertThat(plain.containsKey("a")).isFalse();
    }

    @Test
    void what_it_writes_is_not_lost_by_an_eviction_while_it_runs() {
        writing.put("a", "1");
        writing.invoke("a", (entry, none) -> {
            String seen = entry.getValue();
            writing.clear();
            entry.setValue(seen + "2");
            return null;
        });
        assertThat(table.rows).containsEntry("a", "12");
        assertThat(writing.get("a")).isEqualTo("12");
    }

    @Test
    void a_processor_may_use_its_own_key_and_two_that_wait_for_each_other_are_told() throws Exception {
        plain.invoke("a", (entry, none) -> {
            plain.put("a", "1");
            entry.setValue("2");
            return null;
        });
        assertThat(plain.get("a")).isEqualTo("2");
        CountDownLatch both = new CountDownLatch(2);
        AtomicReference<CacheException> told = new AtomicReference<>();
        EntryProcessor<String, String, Void> crossed = (entry, other) -> {
            both.countDown();
            try {
                both.await();
                plain.put((String) other[0], "x");
            } catch (CacheException ring) {
                told.set(ring);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return null;
        };
        FutureTask<Void> one = start(() -> plain.invoke("a", crossed, "b"));
        FutureTask<Void> two = start(() -> plain.invoke("b", crossed, "a"));
        result(one);
        result(two);
        assertThat(told.get()).hasMessageContaining("has to wait for it");
    }

    @Test
    void a_loader_that_changes_its_key_does_not_wait_for_a_processor_that_waits_for_it() throws Exception {
        table.rows.put("a", "1");
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch loading = new CountDownLatch(1);
        table.before = () -> {
            table.before = () -> {};
            loading.countDown();
            try {
                inside.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            writing.put("a", "2");
        };
        FutureTask<String> load = start(() -> writing.get("a"));
        loading.await();
        FutureTask<String> processor = start(() -> writing.invoke("a", (entry, none) -> {
            inside.countDown();
            return entry.getValue();
        }));
        assertThat(result(load)).isEqualTo("1");
        assertThat(result(processor)).isIn("1", "2");
        assertThat(writing.get("a")).isEqualTo("2");
    }

    @Test
    void an_interrupt_ends_the_wait_for_a_turn() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        FutureTask<Void> first = start(() -> plain.invoke("a", (entry, none) -> {
            inside.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            entry.setValue("1");
            return null;
        }));
        inside.await();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> plain.put("a", "2"))
                .isInstanceOf(CacheException.class)
                .hasCauseInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
        release.countDown();
        result(first);
        assertThat(plain.get("a")).isEqualTo("1");
    }

    /** A key that may throw at any time. */
    private record FaultyKey(String name, AtomicReference<RuntimeException> fault) {
        @Override
        public boolean equals(Object other) {
            return other instanceof FaultyKey key && key.name.equals(name);
        }

        @Override
        public int hashCode() {
            RuntimeException thrown = fault.get();
            if (thrown != null) {
                throw thrown;
            }
            return name.hashCode();
        }
    }

    @Test
    void a_turn_ends_also_if_its_key_throws_at_the_end() throws Exception {
        Cache<FaultyKey, String> faulty =
                manager.createCache("faulty", new MutableConfiguration<FaultyKey, String>().setStoreByValue(false));
        AtomicReference<RuntimeException> fault = new AtomicReference<>();
        FaultyKey key = new FaultyKey("a", fault);
        CountDownLatch within = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        FutureTask<String> first = start(() -> faulty.invoke(key, (entry, none) -> {
            within.countDown();
            await(goesOn);
            fault.set(new IllegalStateException("no hash"));
            return "done";
        }));
        within.await();
        FaultyKey same = new FaultyKey("a", new AtomicReference<>());
        FutureTask<String> second = start(() -> faulty.getAndPut(same, "2"));
        goesOn.countDown();
        assertThatThrownBy(() -> result(first)).hasRootCauseMessage("no hash");
        assertThat(result(second)).isNull();
        assertThat(faulty.get(same)).isEqualTo("2");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
