package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.FaultProxy;
import dev.levee.redis.RedisServer;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * Processes with a near cache each, over one Redis that is cut off, frozen, emptied and killed meanwhile. The long
 * forms: {@code -Dlevee.redis.cuts=1000}, {@code -Dlevee.redis.races=1000000}, {@code -Dlevee.redis.echoes=5000},
 * {@code -Dlevee.redis.processes=4}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class TierProcessesTest {
    private static final int CUTS = Integer.getInteger("levee.redis.cuts", 20);
    private static final int RACES = Integer.getInteger("levee.redis.races", 4_000);
    private static final int ECHOES = Integer.getInteger("levee.redis.echoes", 100);
    private static final int PROCESSES = Integer.getInteger("levee.redis.processes", 2);
    private static final int THREADS = 4;

    private RedisServer cache;
    private RedisServer rows;
    private FaultProxy proxy;
    private Tiers tiers;
    private final List<Child> children = new ArrayList<>();

    /** A process that runs {@link TierWorker}. */
    private static final class Child {
        private final Process process;
        private final BufferedReader out;
        private final OutputStream in;

        Child(int cachePort, int rowsPort, int number, String form) throws IOException {
            process = new ProcessBuilder(
                            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                            "-Xmx256m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            TierWorker.class.getName(),
                            Integer.toString(cachePort),
                            Integer.toString(rowsPort),
                            Integer.toString(number),
                            Integer.toString(PROCESSES),
                            form)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            in = process.getOutputStream();
        }

        void say(String line) throws IOException {
            in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        }

        /** Reads until a line that begins so; what was violated before fails. */
        String await(String begin) throws IOException {
            List<String> violations = new ArrayList<>();
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith("violation")) {
                    violations.add(line);
                } else if (line.startsWith(begin)) {
                    assertThat(violations).isEmpty();
                    return line;
                }
            }
            throw new AssertionError("the process has ended, after " + violations);
        }
    }

    @BeforeAll
    void start() throws IOException {
        cache = RedisServer.start();
        rows = RedisServer.start();
        proxy = FaultProxy.to(cache.port());
        tiers = new Tiers();
        TierWorker.prepare(tiers.commands(rows));
        launch("plain");
    }

    private void launch(String form) throws IOException {
        for (Child each : children) {
            each.process.destroyForcibly();
        }
        children.clear();
        for (int i = 0; i < PROCESSES; i++) {
            children.add(new Child(proxy.port(), rows.port(), i, form));
        }
        awaitAll("ready");
    }

    @AfterAll
    void stop() throws Exception {
        for (Child each : children) {
            each.process.destroyForcibly().waitFor();
        }
        tiers.close();
        proxy.close();
        cache.close();
        rows.close();
    }

    private void sayAll(String line) throws IOException {
        for (Child each : children) {
            each.say(line);
        }
    }

    private List<String> awaitAll(String begin) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Child each : children) {
            lines.add(each.await(begin));
        }
        return lines;
    }

    private void nothingIsStale() throws IOException {
        sayAll("verify");
        assertThat(awaitAll("verified")).allMatch(line -> line.startsWith("verified 0 "));
    }

    @Test
    void races_over_processes_leave_nothing_stale_and_break_no_session() throws IOException {
        races();
    }

    @Test
    void races_of_values_with_tags_do_not_either() throws IOException {
        launch("tagged");
        try {
            races();
        } finally {
            launch("plain");
        }
    }

    private void races() throws IOException {
        int rounds = Math.max(1, RACES / 50_000);
        int each = RACES / rounds / PROCESSES / THREADS;
        List<String> done = List.of();
        for (int round = 0; round < rounds; round++) {
            sayAll("run " + THREADS + " " + each + " " + round);
            done = awaitAll("done");
            nothingIsStale();
        }
        System.out.println("races: reads, writes, violations of each process: " + done);
    }

    @Test
    void after_cuts_no_key_stays_stale_and_sessions_have_read_their_writes() throws Exception {
        sayAll("monotonic false"); // what is written while Redis is gone may be seen and not be seen again
        cuts();
        sayAll("monotonic true");
    }

    @Test
    void with_writes_that_fail_while_redis_is_gone_no_session_goes_back_whatever_is_cut() throws Exception {
        launch("failing");
        try {
            cuts();
        } finally {
            launch("plain");
        }
    }

    private void cuts() throws Exception {
        int[] cuts = {0};
        Thread cutting = new Thread(() -> {
            Random random = new Random(5);
            while (cuts[0] < CUTS) {
                pause(5 + random.nextInt(40));
                proxy.cut();
                cuts[0]++;
            }
        });
        cutting.start();
        int round = 0;
        List<String> done = List.of();
        while (cutting.isAlive()) {
            sayAll("run " + THREADS + " 100 " + round++);
            done = awaitAll("done");
        }
        cutting.join();
        nothingIsStale();
        System.out.println("cuts: " + cuts[0] + ", rounds " + round + ", reads, writes, violations: " + done);
    }

    @Test
    void a_redis_that_is_frozen_emptied_killed_and_refused_leaves_nothing_stale() throws Exception {
        AtomicBoolean running = new AtomicBoolean(true);
        var flushing = tiers.commands(cache);
        sayAll("monotonic false"); // the marks of writes are lost with the rest
        Thread breaking = new Thread(() -> {
            for (int i = 0; i < Math.max(1, CUTS / 20); i++) {
                proxy.freeze();
                pause(300);
                proxy.thaw();
                pause(100);
                flushing.flushall();
                pause(100);
                cache.kill();
                pause(100);
                cache.restart();
                pause(200);
                proxy.refuse(true);
                proxy.cut();
                pause(100);
                proxy.refuse(false);
                pause(200);
                proxy.freezeAnswers();
                pause(300);
                proxy.thaw();
                pause(200);
            }
            running.set(false);
        });
        breaking.start();
        int round = 0;
        while (running.get()) {
            sayAll("run " + THREADS + " 100 " + round++);
            awaitAll("done");
        }
        breaking.join();
        nothingIsStale();
        sayAll("monotonic true");
    }

    @Test
    void an_invalidation_reaches_the_other_process() throws IOException {
        children.get(1).say("echo " + ECHOES);
        children.get(0).say("change " + ECHOES);
        String figures = children.get(0).await("changed");
        children.get(1).await("echoed");
        System.out.println("invalidations of " + ECHOES + ": " + figures);
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis); // the fault lasts that long; nothing is asserted of it
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
