package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Processes that are killed by SIGKILL while four threads write to one journal: it opens, and of each thread it holds
 * what the last step that returned has left, or the one that was under way. {@code integrations/journal/kill-test} runs
 * as many rounds as it is told.
 */
@SuppressWarnings("StringSplitter")
class JournalKillTest {
    private static final int ROUNDS = Integer.getInteger("levee.kill.rounds", 5);

    @TempDir
    Path folder;

    private long acknowledged;

    @ParameterizedTest
    @EnumSource(Durability.class)
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void what_was_acknowledged_survives_kill_9(Durability durability) throws Exception {
        long seed = Long.getLong("levee.kill.seed", System.nanoTime());
        Random random = new Random(seed);
        List<JournalModel> models = models(open(durability));
        for (int round = 0; round < ROUNDS; round++) {
            long roundSeed = random.nextLong();
            int lines = random.nextInt(random.nextInt(4) == 0 ? 40 : 6000);
            int[] begun = new int[DoomedJournal.THREADS];
            int[] returned = new int[DoomedJournal.THREADS];
            kill(durability, roundSeed, lines, begun, returned);

            String when = durability + ", seed " + seed + ", round " + round;
            Recovered<String, String> recovered = open(durability);
            checkAll(models, recovered, roundSeed, begun, returned, when);
            acknowledged += Arrays.stream(returned).sum();
            models = models(recovered);
        }
        System.out.println(
                durability + ": " + ROUNDS + " rounds, " + acknowledged + " steps acknowledged, seed " + seed);
    }

    private Recovered<String, String> open(Durability durability) throws IOException {
        try (WriteJournal<String, String> journal = DoomedJournal.journal(folder, durability)) {
            return journal.open();
        }
    }

    private static List<JournalModel> models(Recovered<String, String> recovered) {
        List<JournalModel> models = new ArrayList<>();
        for (int thread = 0; thread < DoomedJournal.THREADS; thread++) {
            models.add(JournalModel.of(recovered, DoomedJournal.keys(thread)));
        }
        return models;
    }

    /** The models of a journal that is new. */
    static List<JournalModel> nothing() {
        return models(new Recovered<>(List.of(), List.of(), 0));
    }

    static void checkAll(
            List<JournalModel> models,
            Recovered<String, String> recovered,
            long seed,
            int[] begun,
            int[] returned,
            String when) {
        for (int thread = 0; thread < DoomedJournal.THREADS; thread++) {
            check(models.get(thread), recovered, thread, seed, begun[thread], returned[thread], when);
        }
    }

    /** Reads a line of the process; what is no report of a step is added to what it said. */
    static boolean count(String line, int[] begun, int[] returned, StringBuilder said) {
        String[] words = line.split(" ", -1);
        int[] counts = words[0].equals("b") ? begun : words[0].equals("r") ? returned : null;
        if (counts == null) {
            said.append(line).append('\n');
            return false;
        }
        counts[Integer.parseInt(words[1])] = Integer.parseInt(words[2]);
        return true;
    }

    private static void check(
            JournalModel model,
            Recovered<String, String> recovered,
            int thread,
            long seed,
            int begun,
            int returned,
            String when) {
        Random random = DoomedJournal.random(seed, thread);
        List<List<Object>> allowed = new ArrayList<>();
        for (int number = 0; number <= begun; number++) {
            if (number > 0) {
                model.random(random, DoomedJournal.keys(thread), DoomedJournal.KEYS, DoomedJournal.MAX_VALUE)
                        .on(model);
            }
            if (number >= returned) {
                allowed.add(content(model.recovered()));
            }
        }
        assertThat(allowed)
                .as("%s, thread %s, %s returned, %s begun", when, thread, returned, begun)
                .contains(content(
                        JournalModel.of(recovered, DoomedJournal.keys(thread)).recovered()));
    }

    private static List<Object> content(Recovered<String, String> recovered) {
        List<PendingWrite<String, String>> pending = recovered.pending();
        List<DeadWrite<String, String>> dead = recovered.dead();
        return List.of(pending, dead);
    }

    private void kill(Durability durability, long seed, int lines, int[] begun, int[] returned) throws Exception {
        Process process = JournalProcess.start(folder, durability, seed);
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            int read = 0;
            StringBuilder said = new StringBuilder();
            for (String line; (line = reader.readLine()) != null; ) {
                if (count(line, begun, returned, said) && ++read >= lines) {
                    process.toHandle().destroyForcibly(); // SIGKILL; lines that are in the pipe are still read
                }
            }
            assertThat(said.toString().lines()).allMatch(line -> line.startsWith("SLF4J"));
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).isEqualTo(128 + 9);
    }
}
