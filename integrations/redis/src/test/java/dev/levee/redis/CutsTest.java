package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.FaultProxy;
import dev.levee.core.testing.ClassPaths;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import io.lettuce.core.RedisClient;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Four processes on one limit, whose connections are cut while batches are on their way, whose server is flushed,
 * killed and frozen, and which are frozen themselves: no window of what they have admitted is above the bound.
 */
class CutsTest {
    private static final int CUTS = Integer.getInteger("levee.redis.cuts", 24);
    private static final int PROCESSES = 4;

    @ParameterizedTest
    @EnumSource(
            value = SharedMode.class,
            names = {"EXACT", "LEASED"})
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void no_window_of_four_processes_is_above_its_bound(SharedMode mode) throws Exception {
        List<Process> processes = new ArrayList<>();
        Random random = new Random(15);
        try (RedisServer server = RedisServer.start();
                FaultProxy proxy = FaultProxy.to(server.port())) {
            for (int i = 0; i < PROCESSES; i++) {
                processes.add(start(proxy.port(), mode));
            }
            for (Process process : processes) {
                assertThat(process.getInputStream().read()).isEqualTo('R');
            }
            long start = System.nanoTime();
            for (int i = 1; i <= CUTS; i++) {
                TimeUnit.MILLISECONDS.sleep(10 + random.nextInt(60));
                harm(i, random, server, proxy, processes.get(i % PROCESSES));
                proxy.cut();
            }
            TimeUnit.MILLISECONDS.sleep(500);
            double seconds = (System.nanoTime() - start) / 1e9;
            List<long[]> calls = new ArrayList<>();
            for (Process process : processes) {
                process.getOutputStream().close();
                calls.addAll(admitted(process));
            }
            System.out.printf(
                    "%s: %d cuts in %.1f s, %d calls admitted, worst window %.3f permits of %d%n",
                    mode, CUTS, seconds, calls.size(), worst(calls), LimitedProcess.LIMIT.capacity());
            assertThat(calls).as("they have worked").hasSizeGreaterThan(100);
            assertThat(worst(calls)).isLessThanOrEqualTo((double) LimitedProcess.LIMIT.capacity());
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static void harm(int round, Random random, RedisServer server, FaultProxy proxy, Process process)
            throws Exception {
        if (round % 30 == 10) {
            RedisClient client = RedisClient.create(server.uri());
            client.connect().sync().flushall();
            client.shutdown(0, 1, TimeUnit.SECONDS);
        } else if (round % 30 == 20) {
            server.kill();
            server.restart();
        } else if (round % 10 == 3) {
            server.freeze();
            TimeUnit.MILLISECONDS.sleep(random.nextInt(400));
            server.thaw();
        } else if (round % 10 == 6) {
            signal("-STOP", process);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(400));
            signal("-CONT", process);
        } else if (round % 2 == 0) {
            proxy.freezeAnswers();
            TimeUnit.MILLISECONDS.sleep(random.nextInt(20));
            proxy.cut();
            proxy.thaw();
        }
    }

    private static void signal(String name, Process process) throws Exception {
        assertThat(new ProcessBuilder("kill", name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static Process start(int port, SharedMode mode) throws IOException {
        String client = ClassPaths.of(
                LimitedProcess.class, RedisQuotaStore.class, SharedLimits.class, Environment.class, RedisClient.class);
        String all = Stream.concat(
                        Stream.of(client),
                        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                                .filter(it -> it.matches(".*(netty|reactor|reactive|slf4j|lettuce|authx|logback).*")))
                .collect(Collectors.joining(File.pathSeparator));
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx128m",
                        "-cp",
                        all,
                        LimitedProcess.class.getName(),
                        Integer.toString(port),
                        mode.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static List<long[]> admitted(Process process) throws IOException {
        List<long[]> calls = new ArrayList<>();
        try (DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(process.getInputStream()))) {
            while (true) {
                calls.add(new long[] {in.readLong(), in.readLong()});
            }
        } catch (EOFException end) {
            return calls;
        }
    }

    /**
     * Returns the largest number of calls that surely lie within one window, less what the rate gives in it. A call
     * lies somewhere between two readings of the clock, so it is within a window that has both.
     */
    static double worst(List<long[]> calls) {
        long[] begins = calls.stream().mapToLong(it -> it[0]).sorted().toArray();
        List<long[]> byEnd = new ArrayList<>(calls);
        byEnd.sort(Comparator.comparingLong(it -> it[1]));
        double rate = LimitedProcess.LIMIT.permits()
                / (double) LimitedProcess.LIMIT.per().toNanos();
        Most most = new Most(begins.length);
        for (int i = 0; i < begins.length; i++) {
            most.add(i, i, rate * (begins[i] - begins[0])); // windows that begin with it
        }
        double worst = 0;
        for (long[] call : byEnd) {
            int place = java.util.Arrays.binarySearch(begins, call[0]);
            while (place + 1 < begins.length && begins[place + 1] == call[0]) {
                place++;
            }
            most.add(0, place, 1);
            worst = Math.max(worst, most.upTo(place) - rate * (call[1] - begins[0]));
        }
        return worst;
    }

    /** The largest of many numbers, to ranges of which something is added. */
    private static final class Most {
        private final int size;
        private final double[] largest;
        private final double[] added;

        Most(int count) {
            size = Math.max(2, Integer.highestOneBit(Math.max(1, count - 1)) * 2);
            largest = new double[2 * size];
            added = new double[2 * size];
        }

        void add(int from, int to, double value) {
            add(1, 0, size - 1, from, to, value);
        }

        double upTo(int to) {
            return most(1, 0, size - 1, to);
        }

        private void add(int node, int low, int high, int from, int to, double value) {
            if (from > high || to < low) {
                return;
            }
            if (from <= low && high <= to) {
                largest[node] += value;
                added[node] += value;
                return;
            }
            int middle = (low + high) / 2;
            add(2 * node, low, middle, from, to, value);
            add(2 * node + 1, middle + 1, high, from, to, value);
            largest[node] = added[node] + Math.max(largest[2 * node], largest[2 * node + 1]);
        }

        private double most(int node, int low, int high, int to) {
            if (high <= to) {
                return largest[node];
            }
            int middle = (low + high) / 2;
            double left = most(2 * node, low, middle, to);
            return added[node] + (to <= middle ? left : Math.max(left, most(2 * node + 1, middle + 1, high, to)));
        }
    }
}
