package dev.levee.console;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** All cards, and the text that pages get: made when a page asks, for all pages once in a while. Thread-safe. */
final class Board {
    /** How many things can be shown. */
    static final int MAX_SHOWN = 1000;

    /** How many cards a page gets: those with most trouble. */
    static final int MAX_CARDS = 100;

    /** How long a text is good for: a little less than pages wait for the next one. */
    private static final long FRESH_NANOS = 900_000_000;

    /** What a page gets while the figures are read for the first time. */
    private static final String EMPTY = "{\"wait\":true}";

    private final Environment environment;
    private final ConsoleConfig config;
    private final long startedMillis;
    private final Map<String, HotKeys> hotKeys = new ConcurrentHashMap<>();
    private final List<Card> cards = new CopyOnWriteArrayList<>();
    private final AtomicInteger ids = new AtomicInteger();
    private final Latencies latencies = new Latencies();
    private final AtomicLong reads = new AtomicLong();
    private final AtomicReference<@Nullable BoardFrame> last = new AtomicReference<>();
    private final AtomicBoolean reading = new AtomicBoolean();
    private volatile boolean stale;
    final EventRing events;
    final Controls controls;

    /** The text of the cards and when it was made. */
    private record BoardFrame(long atNanos, String text) {}

    Board(ConsoleConfig config, Environment environment) {
        this.config = config;
        this.environment = environment;
        this.startedMillis = environment.wallClock().millis();
        this.events = new EventRing(environment.wallClock());
        this.controls = new Controls(events);
    }

    void show(@Nullable String name, Measured... parts) {
        List<Measured> list = new ArrayList<>();
        for (Measured part : Require.nonNull("parts", parts)) {
            list.add(Require.nonNull("part", part));
        }
        if (list.isEmpty()) {
            throw new IllegalArgumentException("parts must not be empty");
        }
        if (cards.size() >= MAX_SHOWN) {
            throw new IllegalStateException("console shows " + MAX_SHOWN + " things already");
        }
        IdentityHashMap<Policy, String> ofPolicies = new IdentityHashMap<>();
        for (Policy policy : Card.policies(list)) {
            if (Controls.controls(policy)) {
                ofPolicies.computeIfAbsent(policy, controls::add);
            }
        }
        cards.add(new Card("c" + ids.incrementAndGet(), name, list, ofPolicies, hotKeys));
    }

    HotKeys hotKeys(String card) {
        HotKeys known = hotKeys.get(card);
        if (known != null) {
            return known;
        }
        if (hotKeys.size() >= MAX_SHOWN) {
            throw new IllegalStateException("console follows hot keys of " + MAX_SHOWN + " cards already");
        }
        return hotKeys.computeIfAbsent(card, name -> new HotKeys(environment.clock()));
    }

    boolean hide(Measured part) {
        Require.nonNull("part", part);
        List<Card> gone = cards.stream()
                .filter(card -> card.parts().stream().anyMatch(each -> each == part))
                .toList();
        gone.forEach(card -> card.controls().values().forEach(controls::remove));
        controls.forgetFound();
        return cards.removeAll(gone);
    }

    /** How often figures have been read. */
    long reads() {
        return reads.get();
    }

    /** Returns what a page gets that has seen events up to a number. */
    String snapshot(long afterEvent) {
        JsonText json = new JsonText();
        json.open('[');
        for (EventRing.RingEntry event : events.after(afterEvent)) {
            json.open('{').name("number").value(event.number()).name("at").value(event.atMillis());
            json.name("level").value(event.level().name()).name("kind").value(event.kind());
            json.name("name")
                    .value(event.name())
                    .name("text")
                    .value(event.text())
                    .close('}');
        }
        json.close(']');
        return "{\"events\":" + json + "," + frame().substring(1);
    }

    /** Reads figures if the last text is old. One thread does; others take the last one meanwhile. */
    private String frame() {
        long now = environment.clock().nanoTime();
        BoardFrame known = last.get();
        if (known != null && !stale && now - known.atNanos < FRESH_NANOS) {
            return known.text;
        }
        if (!reading.compareAndSet(false, true)) {
            return known == null ? EMPTY : known.text;
        }
        try {
            stale = false;
            BoardFrame made = new BoardFrame(now, read(now));
            last.set(made);
            return made.text;
        } finally {
            reading.set(false);
        }
    }

    private String read(long nowNanos) {
        reads.incrementAndGet();
        List<Card.CardReading> readings = new ArrayList<>();
        cards.forEach(card -> readings.add(card.read(latencies, nowNanos)));
        readings.sort(Comparator.comparingInt(Card.CardReading::trouble).reversed());
        JsonText json = new JsonText();
        json.open('{').name("number").value(reads.get()).name("title").value(config.title());
        json.name("at").value(environment.wallClock().millis()).name("started").value(startedMillis);
        json.name("buttons").value(config.token() != null).name("cards").open('[');
        readings.stream().limit(MAX_CARDS).forEach(reading -> reading.write(json, controls));
        controls.forgetOthers();
        json.close(']').name("moreCards").value(Math.max(0, readings.size() - MAX_CARDS));
        json.name("actions");
        controls.write(json);
        return json.close('}').toString();
    }

    /** Makes the next page get what is new, such as after a button. */
    void refresh() {
        stale = true;
    }
}
