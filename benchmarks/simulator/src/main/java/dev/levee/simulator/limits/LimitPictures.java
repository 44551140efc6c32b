package dev.levee.simulator.limits;

import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.simulator.VirtualTime;
import dev.levee.simulator.report.LinePlot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Draws what each kind of limit admits of the same calls: three times the limit for six seconds, nothing for four, then
 * ten times the limit for two seconds and a fifth of it at last. The shipped limiters, in virtual time.
 */
public final class LimitPictures {
    private static final int PER_SECOND = 100;
    private static final int SECONDS = 16;
    private static final int STEPS_PER_SECOND = 5;

    private LimitPictures() {}

    /**
     * Writes {@code NAME.svg} for each kind of limit.
     *
     * @param arguments {@code --out FOLDER}
     * @throws IOException if a file cannot be written
     */
    public static void main(String... arguments) throws IOException {
        if (arguments.length != 2 || !arguments[0].equals("--out")) {
            System.err.println("limits: takes --out FOLDER");
            System.exit(2);
        }
        Path folder = Path.of(arguments[1]);
        Files.createDirectories(folder);
        for (Map.Entry<String, Map<String, Limit>> picture : pictures().entrySet()) {
            LinePlot plot = new LinePlot(picture.getKey(), "seconds", "calls admitted per second").even();
            picture.getValue().forEach((name, limit) -> plot.line(name, seconds(), admitted(limit)));
            plot.bound("calls that come", seconds(), came());
            String file = picture.getKey().replaceAll("[^a-z]+", "-") + ".svg";
            Files.writeString(folder.resolve(file), plot.svg());
        }
    }

    private static Map<String, Map<String, Limit>> pictures() {
        Duration second = Duration.ofSeconds(1);
        Map<String, Map<String, Limit>> pictures = new LinkedHashMap<>();
        Map<String, Limit> buckets = new LinkedHashMap<>();
        buckets.put("burst 100", Limit.perSecond(PER_SECOND));
        buckets.put("burst 10", Limit.perSecond(PER_SECOND).burst(10));
        pictures.put("token bucket", buckets);
        Map<String, Limit> sliding = new LinkedHashMap<>();
        sliding.put("sliding counter", Limit.slidingWindow(PER_SECOND, second));
        sliding.put("sliding log", Limit.slidingLog(PER_SECOND, second));
        pictures.put("sliding windows", sliding);
        Map<String, Limit> fixed = new LinkedHashMap<>();
        fixed.put("fixed window", Limit.fixedWindow(2 * PER_SECOND, Duration.ofSeconds(2)));
        pictures.put("fixed window", fixed);
        Map<String, Limit> paced = new LinkedHashMap<>();
        paced.put("paced", Limit.paced(PER_SECOND, second));
        pictures.put("paced", paced);
        Map<String, Limit> warming = new LinkedHashMap<>();
        warming.put("warming up in 4 s", Limit.warmUp(PER_SECOND, second, Duration.ofSeconds(4)));
        pictures.put("warm up", warming);
        return pictures;
    }

    private static double[] seconds() {
        double[] seconds = new double[SECONDS * STEPS_PER_SECOND];
        for (int i = 0; i < seconds.length; i++) {
            seconds[i] = (i + 0.5) / STEPS_PER_SECOND;
        }
        return seconds;
    }

    /** How many calls come in a second. */
    private static double rate(double second) {
        return second < 6 ? 3 * PER_SECOND : second < 10 ? 0 : second < 12 ? 10 * PER_SECOND : PER_SECOND / 5.0;
    }

    private static double[] came() {
        double[] rates = seconds();
        for (int i = 0; i < rates.length; i++) {
            rates[i] = Math.min(rate(rates[i]), 3.2 * PER_SECOND); // the flood would flatten all else
        }
        return rates;
    }

    private static double[] admitted(Limit limit) {
        VirtualTime time = new VirtualTime();
        Environment environment =
                Environment.builder().clock(time).scheduler(time).build();
        RateLimiter limiter = RateLimiter.of("picture", limit, environment);
        double[] admitted = new double[SECONDS * STEPS_PER_SECOND];
        double owed = 0;
        long stepNanos = VirtualTime.MILLI;
        for (long now = 0; now < SECONDS * VirtualTime.SECOND; now += stepNanos) {
            time.runUntil(now);
            double second = (double) now / VirtualTime.SECOND;
            for (owed += rate(second) / 1_000; owed >= 1; owed--) {
                if (limiter.tryAcquire()) {
                    admitted[(int) (second * STEPS_PER_SECOND)] += STEPS_PER_SECOND;
                }
            }
        }
        return admitted;
    }
}
