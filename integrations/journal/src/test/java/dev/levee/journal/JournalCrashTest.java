package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import dev.levee.journal.SimulatedDisk.Event;
import dev.levee.journal.SimulatedDisk.Marked;
import dev.levee.journal.SimulatedDisk.State;
import dev.levee.journal.SimulatedDisk.Wrote;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/**
 * A journal whose process ends at each byte that it writes, or whose machine loses its power: it opens, and holds what
 * it held after some call between the last one that had returned and the one that was under way.
 */
@SuppressWarnings("EnumOrdinal")
class JournalCrashTest {
    /** The sizes of segments and values let every history roll, copy and delete segments. */
    private static final int SEGMENT_BYTES = 4 * 1024;

    @Test
    void every_byte_can_be_the_last_one_of_the_process() throws IOException {
        History history = History.of(7, Durability.PROCESS, 60);
        int states = 0;
        State state = new State();
        for (int i = 0; i < history.disk.events.size(); i++) {
            Event event = history.disk.events.get(i);
            if (event instanceof Wrote wrote) {
                for (int cut = 0; cut < wrote.bytes().length; cut++) {
                    history.check(cutOff(state, wrote, cut), i, "event " + i + ", byte " + cut);
                    states++;
                }
            } else {
                history.check(state.afterKill(), i, "event " + i);
                states++;
            }
            event.apply(state);
        }
        history.check(state.afterKill(), history.disk.events.size(), "the end");
        assertThat(history.deleted()).isGreaterThan(3);
        assertThat(states).isGreaterThan(10_000);
    }

    @Property
    void any_history_survives_the_end_of_the_process(@ForAll long seed, @ForAll Durability durability)
            throws IOException {
        Random random = new Random(seed);
        History history = History.of(seed, durability, 1 + random.nextInt(120));
        State state = new State();
        for (int i = 0; i < history.disk.events.size(); i++) {
            Event event = history.disk.events.get(i);
            if (random.nextInt(4) == 0) {
                Map<String, byte[]> left = event instanceof Wrote wrote
                        ? cutOff(state, wrote, random.nextInt(wrote.bytes().length + 1))
                        : state.afterKill();
                history.check(left, i, "seed " + seed + ", event " + i);
            }
            event.apply(state);
        }
        history.check(state.afterKill(), history.disk.events.size(), "seed " + seed + ", the end");
    }

    @Property
    void any_history_survives_the_loss_of_power(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        History history = History.of(seed, Durability.DISK, 1 + random.nextInt(120));
        int page = 1 << random.nextInt(5, 13);
        State state = new State();
        for (int i = 0; i < history.disk.events.size(); i++) {
            if (random.nextInt(2) == 0) {
                history.check(state.afterPowerLoss(random, page), i, "seed " + seed + ", event " + i);
            }
            history.disk.events.get(i).apply(state);
        }
        history.check(state.afterPowerLoss(random, page), history.disk.events.size(), "seed " + seed + ", the end");
    }

    /** A crash while the journal is being opened after a crash, which is when torn tails are cut off. */
    @Property
    void a_crash_while_a_journal_is_opened_loses_nothing(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        Durability durability = random.nextBoolean() ? Durability.DISK : Durability.PROCESS;
        History history = History.of(seed, durability, 1 + random.nextInt(60));
        State state = new State();
        int end = random.nextInt(history.disk.events.size());
        history.disk.events.subList(0, end).forEach(event -> event.apply(state));
        Map<String, byte[]> left = durability == Durability.DISK ? state.afterPowerLoss(random, 64) : state.afterKill();

        SimulatedDisk again = new SimulatedDisk(left);
        Recovered<String, String> first = journal(again, durability).open();
        State reopened = new SimulatedDisk(left).state();
        for (Event event : again.events) {
            Map<String, byte[]> files = durability == Durability.DISK
                    ? reopened.afterPowerLoss(random, 64)
                    : event instanceof Wrote wrote
                            ? cutOff(reopened, wrote, random.nextInt(wrote.bytes().length + 1))
                            : reopened.afterKill();
            assertThat(journal(new SimulatedDisk(files), durability).open())
                    .as("seed %s, %s", seed, event)
                    .isEqualTo(first);
            event.apply(reopened);
        }
    }

    /** The next process reads what the operating system still has in memory, and goes on from there. */
    @Property
    void a_loss_of_power_after_a_kill_loses_nothing(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        History history = History.of(seed, Durability.DISK, 1 + random.nextInt(60));
        State killed = new State();
        int end = random.nextInt(history.disk.events.size());
        history.disk.events.subList(0, end).forEach(event -> event.apply(killed));

        SimulatedDisk next = new SimulatedDisk(killed.copy());
        WriteJournal<String, String> journal = journal(next, Durability.DISK);
        Recovered<String, String> first = journal.open();
        PendingWrite<String, String> more =
                new PendingWrite<>("more", "value", first.lastSequence() + 10, Instant.EPOCH);
        journal.append(more);
        next.events.forEach(event -> event.apply(killed));

        Recovered<String, String> second = journal(
                        new SimulatedDisk(killed.afterPowerLoss(random, 64)), Durability.DISK)
                .open();
        List<PendingWrite<String, String>> pending = new ArrayList<>(first.pending());
        pending.add(more);
        assertThat(second.pending()).as("seed %s", seed).isEqualTo(pending);
        assertThat(second.dead()).as("seed %s", seed).isEqualTo(first.dead());
    }

    private static Map<String, byte[]> cutOff(State state, Wrote wrote, int cut) {
        Map<String, byte[]> files = state.afterKill();
        state.names.forEach((name, file) -> {
            if (file == wrote.file()) {
                files.put(name, wrote.into(files.get(name), cut));
            }
        });
        return files;
    }

    private static WriteJournal<String, String> journal(SimulatedDisk disk, Durability durability) {
        return new SegmentedJournal<>(
                "crash",
                disk,
                Codec.strings(),
                Codec.strings(),
                FileJournalConfig.builder()
                        .durability(durability)
                        .segmentBytes(SEGMENT_BYTES)
                        .build(),
                new Random(1));
    }

    /** What was done, and what the journal held after each step. */
    private static final class History {
        final SimulatedDisk disk = new SimulatedDisk();
        private final Durability durability;
        /** What was held after so many steps. */
        private final List<Recovered<String, String>> held = new ArrayList<>();
        /** Whether so many steps are kept when the last of them has returned. */
        private final List<Boolean> kept = new ArrayList<>();

        private History(Durability durability) {
            this.durability = durability;
        }

        static History of(long seed, Durability durability, int steps) throws IOException {
            History history = new History(durability);
            Random random = new Random(seed);
            JournalModel model = new JournalModel();
            int keys = 1 + random.nextInt(12);
            int maxValue = random.nextInt(5) == 0 ? 6000 : 900;
            WriteJournal<String, String> journal = journal(history.disk, durability);
            history.add(model, true);
            journal.open();
            for (int number = 1; number <= steps; number++) {
                JournalModel.Step step = model.random(random, keys, maxValue);
                step.on(model);
                history.add(model, step.isKept() || durability == Durability.PROCESS);
                history.disk.mark("begun", number);
                step.on(journal);
                history.disk.mark("returned", number);
                if (random.nextInt(25) == 0) {
                    journal.close();
                    journal = journal(history.disk, durability);
                    assertThat(journal.open()).isEqualTo(model.recovered());
                }
            }
            if (random.nextBoolean()) {
                journal.close();
            }
            return history;
        }

        private void add(JournalModel model, boolean isKept) {
            held.add(model.recovered());
            kept.add(isKept);
        }

        int deleted() {
            return (int) disk.events.stream()
                    .filter(event -> event instanceof SimulatedDisk.Deleted deleted
                            && deleted.name().endsWith(".log"))
                    .count();
        }

        /** Opens what a crash after so many events has left, compares, and writes again. */
        void check(Map<String, byte[]> files, int events, String when) throws IOException {
            int begun = 0;
            int promised = 0;
            for (Event event : disk.events.subList(0, events)) {
                if (event instanceof Marked marked) {
                    begun = Math.max(begun, marked.number());
                    promised =
                            marked.what().equals("returned") && kept.get(marked.number()) ? marked.number() : promised;
                }
            }
            SimulatedDisk after = new SimulatedDisk(files);
            WriteJournal<String, String> journal = journal(after, durability);
            Recovered<String, String> recovered;
            try {
                recovered = journal.open();
            } catch (IOException | RuntimeException e) {
                throw new AssertionError(when, e);
            }
            assertThat(held.subList(promised, begun + 1)).as(when).contains(recovered);
            PendingWrite<String, String> more =
                    new PendingWrite<>("more", "value", recovered.lastSequence() + 1, Instant.EPOCH);
            journal.append(more);
            assertThat(journal(new SimulatedDisk(after.files()), durability)
                            .open()
                            .pending())
                    .as(when)
                    .endsWith(more)
                    .hasSize(recovered.pending().size() + 1);
        }
    }
}
