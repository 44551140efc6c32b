package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** The wheel beside a sorted map that does the same the plain way. */
class TimerWheelTest {
    private static final long YEAR = 365L * 24 * 3600 * 1000;

    /** Fires in the order of ticks; of one tick in any order. */
    private static final class Model {
        private final TreeMap<Long, List<Runnable>> pending = new TreeMap<>();
        private final Map<Runnable, Long> ticks = new HashMap<>();
        private final Map<Runnable, Integer> places = new HashMap<>();

        void add(Runnable task, long tick, int place) {
            pending.computeIfAbsent(tick, ignored -> new ArrayList<>()).add(task);
            ticks.put(task, tick);
            places.put(task, place);
        }

        void remove(Runnable task) {
            long tick = ticks.remove(task);
            places.remove(task);
            List<Runnable> those = pending.get(tick);
            those.remove(task);
            if (those.isEmpty()) {
                pending.remove(tick);
            }
        }
    }

    private static Runnable task() {
        return new Runnable() { // each its own object, which a lambda need not be
            @Override
            public void run() {}
        };
    }

    private static Runnable pollOne(TimerWheel wheel, long now) {
        Runnable task = wheel.poll(now);
        while (task == TimerWheel.MORE) {
            task = wheel.poll(now);
        }
        return task;
    }

    @Property(tries = 600)
    void does_what_a_sorted_map_does(@ForAll long seed, @ForAll @LongRange(min = 1, max = 44) long magnitude) {
        Random random = new Random(seed);
        TimerWheel wheel = new TimerWheel();
        Model model = new Model();
        long now = random.nextInt(5000);
        long reached = 0; // a tick before it counts as this one
        List<Runnable> stale = new ArrayList<>();
        Map<Runnable, Integer> stalePlaces = new HashMap<>();
        for (int step = 0; step < 300; step++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    Runnable task = task();
                    long delay = random.nextLong() >>> (63 - random.nextInt((int) magnitude));
                    long tick = Math.max(now + (delay < 0 ? 0 : delay) - random.nextInt(3), 0);
                    if (model.ticks.isEmpty()) {
                        reached = now;
                    }
                    model.add(task, Math.max(tick, reached), wheel.add(task, now, tick));
                }
                case 2 -> {
                    if (!model.ticks.isEmpty()) {
                        Runnable task = new ArrayList<>(model.ticks.keySet()).get(random.nextInt(model.ticks.size()));
                        int place = model.places.get(task);
                        assertThat(wheel.remove(place, task)).isTrue();
                        model.remove(task);
                        stale.add(task);
                        stalePlaces.put(task, place);
                    }
                }
                case 3 -> {
                    long jump = random.nextLong() >>> (63 - random.nextInt((int) magnitude));
                    now += random.nextBoolean() || jump < 0 ? random.nextInt(3) : jump;
                    assertThat(wheel.next()).as("nothing is overlooked").isLessThanOrEqualTo(earliest(model));
                    for (Runnable due = pollOne(wheel, now); due != null; due = pollOne(wheel, now)) {
                        long tick = model.ticks.get(due);
                        assertThat(tick).as("not early").isLessThanOrEqualTo(now);
                        assertThat(model.pending.firstKey()).as("in order").isEqualTo(tick);
                        stalePlaces.put(due, model.places.get(due));
                        stale.add(due);
                        model.remove(due);
                    }
                    assertThat(earliest(model)).as("all that was due has come").isGreaterThan(now);
                    reached = now;
                }
                default -> {
                    for (Runnable gone : stale) {
                        assertThat(wheel.remove(stalePlaces.get(gone), gone)).isFalse();
                    }
                    if (random.nextInt(4) == 0) {
                        wheel.trim();
                    }
                }
            }
            assertThat(wheel.size()).isEqualTo(model.ticks.size());
            assertThat(wheel.next() == TimerWheel.NONE).isEqualTo(model.ticks.isEmpty());
        }
    }

    private static long earliest(Model model) {
        return model.pending.isEmpty() ? TimerWheel.NONE : model.pending.firstKey();
    }

    @Test
    void a_timer_of_years_is_looked_at_seven_times_at_most_before_it_is_due() {
        TimerWheel wheel = new TimerWheel();
        Runnable task = task();
        long tick = 3 * YEAR + 12_345;
        wheel.add(task, 17, tick);
        int looks = 0;
        while (wheel.next() < tick) {
            assertThat(pollOne(wheel, wheel.next())).isNull();
            looks++;
        }
        assertThat(looks).isLessThanOrEqualTo(7);
        assertThat(pollOne(wheel, tick - 1)).isNull();
        assertThat(pollOne(wheel, tick)).isSameAs(task);
    }

    @Test
    void a_crowd_of_one_moment_comes_in_order_with_breaks_and_its_memory_goes() {
        TimerWheel wheel = new TimerWheel();
        List<Runnable> crowd = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            crowd.add(task());
            wheel.add(crowd.get(i), 0, 100_000);
        }
        assertThat(wheel.poll(100_000)).as("it moves to finer wheels in steps").isSameAs(TimerWheel.MORE);
        for (Runnable task : crowd) {
            assertThat(pollOne(wheel, 100_000)).isSameAs(task);
        }
        wheel.trim();
        assertThat(wheel.remove(600, crowd.get(0))).isFalse();
        assertThat(wheel.add(task(), 0, 5)).isPositive();
        assertThat(wheel.size()).isOne();
    }
}
