package dev.levee.jdbc.limits;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.Environment;
import dev.levee.core.testing.ClassPaths;
import dev.levee.ratelimit.Limit;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.h2.jdbcx.JdbcDataSource;
import org.postgresql.Driver;
import org.slf4j.LoggerFactory;

/** Runs processes on one key, and checks what all of them were given. */
final class QuotaHistories {
    private static final String CLASS_PATH = ClassPaths.of(
            QuotaNode.class,
            JdbcQuotaStore.class,
            Limit.class,
            Environment.class,
            HikariDataSource.class,
            JdbcDataSource.class,
            Driver.class,
            LoggerFactory.class);

    private QuotaHistories() {}

    /** When permits were given, by the time of the store, and how many. */
    record Grant(long nanos, long permits) {}

    static Process start(String url, String node, long count) throws Exception {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx128m",
                        "-cp",
                        CLASS_PATH,
                        QuotaNode.class.getName(),
                        url,
                        node,
                        String.valueOf(count))
                .redirectErrorStream(true)
                .start();
    }

    static List<Grant> read(List<Process> processes) throws Exception {
        List<Grant> grants = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (Process process : processes) {
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line; (line = reader.readLine()) != null; ) {
                    String[] words = line.split(" ", -1);
                    if (words[0].equals("GRANT")) {
                        grants.add(new Grant(Long.parseLong(words[1]), Long.parseLong(words[2])));
                    } else {
                        others.add(line);
                    }
                }
            }
            assertThat(process.waitFor()).as("%s", others).isZero();
        }
        return grants;
    }

    /** Checks each window from one grant to another: no more than the capacity and what came back meanwhile. */
    static void check(List<Grant> grants, Limit limit) {
        Grant[] sorted =
                grants.stream().sorted(Comparator.comparingLong(Grant::nanos)).toArray(Grant[]::new);
        double perNano = (double) limit.permits() / limit.per().toNanos();
        // sum(i..j) <= C + r * (t_j - t_i): the largest of sum(..j) - r * t_j less the smallest of sum(..i-1) - r * t_i
        double smallest = Double.MAX_VALUE;
        double worst = 0;
        long sum = 0;
        for (Grant grant : sorted) {
            double line = (grant.nanos() - sorted[0].nanos()) * perNano;
            smallest = Math.min(smallest, sum - line);
            sum += grant.permits();
            worst = Math.max(worst, sum - line - smallest);
        }
        assertThat(worst)
                .as("of %s", Arrays.stream(sorted).limit(5).toList())
                .isLessThanOrEqualTo(limit.capacity() + 1e-3);
    }
}
