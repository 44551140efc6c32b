package dev.levee.micrometer;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.NanoClock;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Meters of Micrometer for everything that is {@link Measured}: pipelines, policies, keyed policies, balancers, caches.
 *
 * <pre>{@code
 * Pipeline guard = Pipeline.of(Retry.of("catalog"), CircuitBreaker.of("catalog"));
 * LeveeMeters.of(guard, balancer, cache).bindTo(registry);
 * }</pre>
 *
 * <p><b>Names.</b> A {@link Metric} has the name {@code levee.} and its own, the base unit that it says (times are in
 * seconds), its tags, and the tag {@code name} with the name of the policy. A counter is a {@code FunctionCounter}, a
 * gauge a {@code Gauge}, and a state one gauge for each value, with the tag {@code state}, of which one is 1 and the
 * others are 0: Prometheus gets {@code levee_breaker_state{name="catalog",state="open"}}. A figure without a
 * description is a gauge.
 *
 * <p>A histogram has its buckets in Prometheus' registry, as {@code levee_meter_duration_seconds_bucket} with the label
 * {@code le}, and the sum over several processes is one too; in other registries it is a {@code FunctionTimer}, with
 * count and sum. In a composite each registry gets it by itself, past the filters of the composite.
 *
 * <p><b>What comes and goes.</b> Series that were not there before (an endpoint, a key, a policy that was
 * {@linkplain #add added}) have their meters after the poll that saw them first, which for a scrape means: with the
 * next one. Those that a poll does not see any more are removed from every registry. A counter does not fall while its
 * series is there, also if a policy is replaced by one of the same name. A source that throws is logged once, and its
 * series stay as they were; {@code levee.meters.sources.failed} counts such sources.
 *
 * <p><b>Bounded.</b> At most {@link MetersConfig#maxSeries} series of one name have meters; the others are one more,
 * whose tags are all {@code _other}: their sum, or for ratios and times the largest. A series that is part of it stays
 * so until it is gone. Two policies of one kind and name are one series in the same way, and are logged once.
 *
 * <p><b>Cost.</b> Calls pay nothing. Meters are read one by one, so the first one that is read begins a poll, which
 * calls {@link Measured#measure} of each source once; the other meters of a scrape show what that has found. A poll is
 * due when its figures are {@linkplain #MAX_AGE a second} old, or when the thread that polled last reads a meter for
 * the second time. A poll that finds the same series as before allocates nothing here, but for histograms.
 *
 * <p>The registry holds the meters, and they what they read, until {@link #close}, or {@link #remove}: this object need
 * not be kept. Thread-safe; nothing waits for a poll of another thread, so a change may have its effect by that thread,
 * a moment later. See ADR 121.
 *
 * @since 0.1
 */
public final class LeveeMeters implements MeterBinder, AutoCloseable {
    /** How old a figure can be that a meter shows, if none is read twice by one thread. */
    public static final Duration MAX_AGE = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(LeveeMeters.class);

    private final MetersConfig config;
    private final NanoClock clock;
    private final WarnedSubjects warned = new WarnedSubjects();
    private final OneAtATime polling = new OneAtATime(this::poll);

    /** Guards {@link #known}. */
    private final Object sourcesLock = new Object();

    private final IdentityHashMap<Measured, MeterSource> known = new IdentityHashMap<>();

    /** The sources in the order in which they came; replaced under the lock, never changed. */
    private volatile MeterSource[] sources = {};

    private final Queue<MeterRegistry> arriving = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /** Whether a thread polls. */
    private volatile boolean busy;

    /** The number of the last poll. */
    private volatile long polls;

    /** The thread that polled last. */
    private volatile long polledBy;

    private volatile long polledAt;

    /** Whether the next read begins a poll. */
    private volatile boolean stale = true;

    // Below: used by the thread that polls only.
    private final List<BoundRegistry> bound = new ArrayList<>();
    private final SeriesTable table;
    private final ChangeList changes = new ChangeList();
    private final MeterSource self = new MeterSource(this::measure);

    private LeveeMeters(MetersConfig config, Environment environment) {
        this.config = Require.nonNull("config", config);
        this.clock = Require.nonNull("environment", environment).clock();
        this.table = new SeriesTable(config, warned, changes);
    }

    /**
     * Makes meters with the default settings in {@link Environment#system()}.
     *
     * @param sources what is measured; of a pipeline, its policies, each once even if several pipelines have it
     * @return the meters, of no registry yet
     * @throws NullPointerException if an argument is null
     */
    public static LeveeMeters of(Measured... sources) {
        return of(Environment.system(), sources);
    }

    /**
     * Makes meters with the default settings.
     *
     * @param environment supplies the clock
     * @param sources what is measured; of a pipeline, its policies, each once even if several pipelines have it
     * @return the meters, of no registry yet
     * @throws NullPointerException if an argument is null
     */
    public static LeveeMeters of(Environment environment, Measured... sources) {
        return of(MetersConfig.builder().build(), environment, List.of(Require.nonNull("sources", sources)));
    }

    /**
     * Makes meters.
     *
     * @param config the settings
     * @param environment supplies the clock
     * @param sources what is measured; may be empty
     * @return the meters, of no registry yet
     * @throws NullPointerException if an argument is null
     */
    public static LeveeMeters of(MetersConfig config, Environment environment, Collection<? extends Measured> sources) {
        LeveeMeters meters = new LeveeMeters(config, environment);
        Require.nonNull("sources", sources).forEach(meters::enter);
        return meters;
    }

    /**
     * Returns the settings.
     *
     * @return the settings
     */
    public MetersConfig config() {
        return config;
    }

    /**
     * Registers the meters with a registry, one of any number. Polls; to bind a registry twice has no effect.
     *
     * @param registry the registry
     * @throws NullPointerException if it is null
     * @throws IllegalStateException if this is closed
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        requireOpen();
        arriving.add(Require.nonNull("registry", registry));
        pollNow();
    }

    /**
     * Measures something more. Polls, if there is a registry, so that its meters are there.
     *
     * @param source what is measured; of a pipeline, its policies
     * @throws NullPointerException if it is null
     * @throws IllegalStateException if this is closed
     */
    public void add(Measured source) {
        requireOpen();
        enter(source);
        pollNow();
    }

    /**
     * Measures something no longer. Polls, if there is a registry, so that its meters are gone.
     *
     * @param source what was added, the same object; nothing happens if it was not
     * @throws NullPointerException if it is null
     */
    public void remove(Measured source) {
        List<Measured> parts = partsOf(source);
        synchronized (sourcesLock) {
            for (Measured part : parts) {
                MeterSource held = known.get(part);
                if (held != null && --held.uses == 0) {
                    known.remove(part);
                    held.remove();
                    sources =
                            Arrays.stream(sources).filter(each -> each != held).toArray(MeterSource[]::new);
                }
            }
        }
        pollNow();
    }

    /** Removes all meters from all registries, which lets go of what was measured. Another close has no effect. */
    @Override
    public void close() {
        closed = true;
        polling.run();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("meters: closed");
        }
    }

    private void enter(Measured source) {
        List<Measured> parts = partsOf(source);
        synchronized (sourcesLock) {
            for (Measured part : parts) {
                MeterSource held = known.get(part);
                if (held == null) {
                    MeterSource fresh = new MeterSource(part);
                    known.put(part, fresh);
                    MeterSource[] more = Arrays.copyOf(sources, sources.length + 1);
                    more[sources.length] = fresh;
                    sources = more;
                } else {
                    held.uses++;
                }
            }
        }
    }

    private static List<Measured> partsOf(Measured source) {
        if (!(Require.nonNull("source", source) instanceof Pipeline pipeline)) {
            return List.of(source);
        }
        List<Measured> parts = new ArrayList<>();
        for (Policy policy : pipeline.policies()) {
            if (policy instanceof Measured measured) {
                parts.add(measured);
            }
        }
        return parts;
    }

    private void pollNow() {
        polling.run();
        stale = true; // calls that come now are to be seen by the first scrape
    }

    /** Returns what a meter shows; begins a poll if one is due. */
    private double read(SeriesReading reading) {
        long now = clock.nanoTime();
        boolean again =
                reading.readIn == polls && polledBy == Thread.currentThread().getId();
        if (!busy && (stale || again || now - polledAt >= MAX_AGE.toNanos())) {
            polling.run();
        }
        reading.readIn = polls;
        return reading.series instanceof HistogramSeries histogram ? histogram.count() : reading.series.shown();
    }

    private void poll() {
        busy = true;
        try {
            if (closed) {
                arriving.clear();
                bound.forEach(BoundRegistry::close);
                bound.clear();
                return;
            }
            bound.removeIf(BoundRegistry::isOver);
            if (!bound.isEmpty() || !arriving.isEmpty()) {
                measureAll();
                applyChanges();
                takeArriving();
            }
        } finally {
            changes.clear();
            busy = false;
        }
    }

    private void measureAll() {
        stale = false;
        polledAt = clock.nanoTime();
        polledBy = Thread.currentThread().getId();
        polls = table.begin();
        for (MeterSource source : sources) {
            measure(source);
        }
        measure(self);
        table.settle();
    }

    private void measure(MeterSource source) {
        table.from(source);
        try {
            source.measured.measure(table);
            source.failed(false);
        } catch (Throwable thrown) {
            source.failed(true);
            if (warned.add("source " + System.identityHashCode(source))) {
                SafeLog.warn(
                        LOG,
                        "meters \"{}\": could not be measured; what was known of it is shown",
                        Text.printable(source.measured.getClass().getName()),
                        thrown);
            }
        }
    }

    /** The figures of this object itself. */
    private void measure(Measured.Sink sink) {
        int failed = 0;
        for (MeterSource source : sources) {
            failed += source.hasFailed() ? 1 : 0;
        }
        sink.value("levee", MeterMetrics.SERIES, table.metered());
        sink.value("levee", MeterMetrics.REST, table.inRest());
        sink.value("levee", MeterMetrics.FAILED, failed);
    }

    private void applyChanges() {
        if (changes.isEmpty()) {
            return;
        }
        for (BoundRegistry each : bound) {
            changes.gone.forEach(each::gone);
            changes.came.forEach(each::came);
        }
    }

    private void takeArriving() {
        for (MeterRegistry next = arriving.poll(); next != null; next = arriving.poll()) {
            MeterRegistry registry = next;
            if (bound.stream().noneMatch(each -> each.registry == registry)) {
                BoundRegistry fresh = new BoundRegistry(registry, series -> reader(series));
                bound.add(fresh);
                table.forEachMetered(fresh);
            }
        }
    }

    private ToDoubleFunction<Series> reader(Series series) {
        SeriesReading reading = new SeriesReading(series);
        return any -> read(reading);
    }

    @Override
    public String toString() {
        return "meters of " + sources.length + " sources";
    }

    /** What one meter reads. */
    private static final class SeriesReading {
        final Series series;

        /** The poll in which it was read last. */
        volatile long readIn = -1;

        SeriesReading(Series series) {
            this.series = series;
        }
    }

    /** The changes that a poll has found. */
    private static final class ChangeList implements SeriesChanges {
        final List<SeriesGroup> came = new ArrayList<>();
        final List<SeriesGroup> gone = new ArrayList<>();

        @Override
        public void came(SeriesGroup group) {
            came.add(group);
        }

        @Override
        public void gone(SeriesGroup group) {
            gone.add(group);
        }

        boolean isEmpty() {
            return came.isEmpty() && gone.isEmpty();
        }

        void clear() {
            came.clear();
            gone.clear();
        }
    }
}
