package dev.levee.journal;

import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** What a journal should hold: a map and a list. Makes random histories, too. */
@SuppressWarnings("ReferenceEquality")
final class JournalModel {
    final Map<String, PendingWrite<String, String>> pending = new TreeMap<>();
    /** By key and sequence. */
    final Map<String, DeadWrite<String, String>> dead = new LinkedHashMap<>();

    long lastSequence;

    JournalModel copy() {
        JournalModel copy = new JournalModel();
        copy.pending.putAll(pending);
        copy.dead.putAll(dead);
        copy.lastSequence = lastSequence;
        return copy;
    }

    /** Makes the model of a part of the keys, by their beginning, of what a journal held. */
    static JournalModel of(Recovered<String, String> recovered, String beginning) {
        JournalModel model = new JournalModel();
        recovered.pending().stream()
                .filter(it -> it.key().startsWith(beginning))
                .forEach(it -> model.pending.put(it.key(), it));
        recovered.dead().stream()
                .filter(it -> it.write().key().startsWith(beginning))
                .forEach(it -> model.dead.put(name(it), it));
        model.lastSequence = recovered.lastSequence();
        return model;
    }

    /** One call of a journal, which the model can do too. */
    interface Step {
        void on(WriteJournal<String, String> journal) throws IOException;

        void on(JournalModel model);

        /** Whether the journal keeps what it did when it returns; removals may come back. */
        default boolean isKept() {
            return true;
        }
    }

    record Append(PendingWrite<String, String> write) implements Step {
        @Override
        public void on(WriteJournal<String, String> journal) throws IOException {
            journal.append(write);
        }

        @Override
        public void on(JournalModel model) {
            model.append(write);
        }
    }

    record Remove(List<PendingWrite<String, String>> writes) implements Step {
        @Override
        public void on(WriteJournal<String, String> journal) throws IOException {
            journal.remove(writes);
        }

        @Override
        public void on(JournalModel model) {
            writes.forEach(write -> model.pending.computeIfPresent(
                    write.key(), (key, newest) -> newest.sequence() == write.sequence() ? null : newest));
        }

        @Override
        public boolean isKept() {
            return false;
        }
    }

    record Bury(DeadWrite<String, String> letter) implements Step {
        @Override
        public void on(WriteJournal<String, String> journal) throws IOException {
            journal.bury(letter);
        }

        @Override
        public void on(JournalModel model) {
            PendingWrite<String, String> write = letter.write();
            model.pending.computeIfPresent(
                    write.key(), (key, newest) -> newest.sequence() <= write.sequence() ? null : newest);
            model.dead.remove(name(letter));
            model.dead.put(name(letter), letter);
            model.lastSequence = Math.max(model.lastSequence, write.sequence());
        }
    }

    record Replay(DeadWrite<String, String> letter, PendingWrite<String, String> write) implements Step {
        @Override
        public void on(WriteJournal<String, String> journal) throws IOException {
            journal.replay(letter, write);
        }

        @Override
        public void on(JournalModel model) {
            model.dead.remove(name(letter));
            model.append(write);
        }
    }

    record Discard(List<DeadWrite<String, String>> letters) implements Step {
        @Override
        public void on(WriteJournal<String, String> journal) throws IOException {
            journal.discard(letters);
        }

        @Override
        public void on(JournalModel model) {
            letters.forEach(letter -> model.dead.remove(name(letter)));
        }
    }

    private void append(PendingWrite<String, String> write) {
        PendingWrite<String, String> newest = pending.get(write.key());
        if (newest == null || newest.sequence() <= write.sequence()) {
            pending.put(write.key(), write);
            lastSequence = Math.max(lastSequence, write.sequence());
        }
    }

    private static String name(DeadWrite<String, String> letter) {
        return letter.write().key() + " " + letter.write().sequence();
    }

    Recovered<String, String> recovered() {
        List<PendingWrite<String, String>> writes = new ArrayList<>(pending.values());
        writes.sort(Comparator.comparingLong(PendingWrite::sequence));
        return new Recovered<>(writes, new ArrayList<>(dead.values()), lastSequence);
    }

    /** Returns a step that fits what is there. */
    Step random(Random random, int keys, int maxValue) {
        return random(random, "k", keys, maxValue);
    }

    /** Returns a step of keys with this beginning. */
    Step random(Random random, String beginning, int keys, int maxValue) {
        String key = beginning + random.nextInt(keys);
        int choice = random.nextInt(20);
        if (choice < 6 && !pending.isEmpty()) {
            List<PendingWrite<String, String>> removed = new ArrayList<>();
            pending.values().forEach(it -> {
                if (random.nextInt(3) == 0) {
                    removed.add(random.nextInt(8) == 0 ? write(it.key(), it.sequence() + 1, random, 1) : it);
                }
            });
            return new Remove(removed);
        }
        if (choice < 8 && pending.containsKey(key)) {
            return new Bury(new DeadWrite<>(
                    pending.get(key),
                    "down " + random.nextInt(),
                    1 + random.nextInt(5),
                    Instant.ofEpochSecond(7, 9),
                    random.nextBoolean()));
        }
        if (choice < 10 && !dead.isEmpty()) {
            DeadWrite<String, String> letter = new ArrayList<>(dead.values()).get(random.nextInt(dead.size()));
            if (random.nextBoolean()) {
                return new Discard(List.of(letter));
            }
            PendingWrite<String, String> old = letter.write();
            return new Replay(letter, new PendingWrite<>(old.key(), old.value(), next(), Instant.ofEpochSecond(3)));
        }
        PendingWrite<String, String> newest = pending.get(key);
        boolean late = newest != null && newest.sequence() % 10 == 0 && random.nextInt(5) == 0;
        return new Append(write(key, late ? newest.sequence() - 5 : next(), random, maxValue));
    }

    /** A sequence that no other write has: each key may get one that is between two of them. */
    private long next() {
        return (lastSequence / 10 + 1) * 10;
    }

    private static PendingWrite<String, String> write(String key, long sequence, Random random, int maxValue) {
        String value = random.nextInt(6) == 0
                ? null
                : Character.toString('a' + random.nextInt(26)).repeat(random.nextInt(maxValue + 1));
        return new PendingWrite<>(key, value, sequence, Instant.ofEpochSecond(random.nextInt(), random.nextInt(1000)));
    }
}
