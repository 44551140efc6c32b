package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.Engines;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.cluster.Cluster;
import dev.levee.examples.shortlink.cluster.Events;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** A fixed load on a cluster while things break on schedule, and the judgement on how it did. */
public final class Smoke {
    // The schedule, in seconds since the start of the load.

    /** A first failure loads hundreds of classes: not when it counts. */
    private static final int REHEARSAL = 4;

    private static final int REHEARSAL_ENDS = 6;
    private static final int COUNT_FROM = 8;
    private static final int NODE_DIES = 9;
    private static final int NODE_RETURNS = 13;
    private static final int DATABASE_SLOW = 20;
    private static final int DATABASE_QUICK = 25;
    private static final int DATABASE_DIES = 30;
    private static final int DATABASE_RETURNS = 35;
    private static final int UNDISTURBED = 41;
    private static final int FLOOD = 45;
    private static final int END = 49;

    /** A statement takes this much longer: more than a redirect may take, so a slow database is as good as none. */
    private static final Duration SLOW = Duration.ofSeconds(1);

    private static final int VICTIM = 1;

    /** The share of the flood that must have been sent. */
    private static final double MIN_FLOOD = 0.9;

    /** The exit status of a run that says nothing. */
    static final int INCONCLUSIVE = 3;

    private final Cluster cluster;
    private final Events events;
    private final Flood flood;
    private final FaultLog faults = new FaultLog();
    private final long start = System.nanoTime();

    private Smoke(Cluster cluster, Events events) {
        this.cluster = cluster;
        this.events = events;
        this.flood = new Flood(cluster.front());
    }

    /**
     * Runs the smoke test, and prints its report.
     *
     * @param urls the well-known URLs
     * @param without what is taken out
     * @return the exit status: 0 if all is as it must be, 1 if not, 3 if answers were late and the machine stalled, so
     *     that it cannot be known why
     * @throws UsageException if the cluster does not start
     * @throws InterruptedException if the thread is interrupted
     */
    public static int run(List<String> urls, Without without) throws UsageException, InterruptedException {
        Events events = new Events(System.out);
        Report report = new Report();
        Path data = TemporaryFolder.make();
        Workload workload = Workload.of(
                urls, Workload.RATE, seconds(FLOOD), seconds(END - FLOOD), afterIt(REHEARSAL), afterIt(DATABASE_SLOW));
        try (Cluster cluster = Cluster.start(0, data, workload.stored(), without, Engines.NONE, events)) {
            new Smoke(cluster, events).run(workload, report);
        } finally {
            TemporaryFolder.delete(data);
        }
        report.put("without", without.label());
        return conclude(report);
    }

    /** Prints the report of a run, and returns its exit status. */
    static int conclude(Report report) {
        report.put("passed", report.passed());
        report.printTable(System.out);
        System.out.println(report.toJson());
        if (report.inconclusive()) {
            System.out.printf("inconclusive: this machine stalled for %.0f ms%n", report.get("stalledMs"));
            return INCONCLUSIVE;
        }
        return report.passed() ? 0 : 1;
    }

    private void run(Workload workload, Report report) throws UsageException {
        events.say("load: " + workload.requests().size() + " requests in " + END + " s");
        CompletableFuture<Void> script = CompletableFuture.runAsync(this::breakThings);
        LoadDriver driver = new LoadDriver(cluster.fronts(), false);
        StallMeter stalls = StallMeter.start(start);
        List<Outcome> outcomes = driver.run(workload.requests(), start);
        stalls.close();
        try {
            script.join();
        } catch (CompletionException e) {
            throw new UsageException("a fault could not be made: " + e.getCause());
        }

        List<Outcome> counted = outcomes.stream()
                .filter(outcome -> outcome.request().atNanos() >= seconds(COUNT_FROM)
                        && outcome.request().atNanos() < seconds(FLOOD))
                .toList();
        Judge judge = new Judge(outcomes, faults);
        judge.report(counted, report);
        LostLinks links =
                LostLinks.search(outcomes, driver, () -> events.stillOpen().isEmpty());
        report.put("acknowledgedLinks", links.acknowledged());
        report.put("lostLinks", links.lost());
        LostClicks clicks = LostClicks.search(outcomes, cluster.database());
        report.put("countedClicks", clicks.counted());
        report.put("lostClicks", clicks.lost());
        report.put("clickStatements", clicks.statements());
        report.put("clickStatementsSaved", clicks.counted() - clicks.statements());
        report.put("breakerOpened", events.opened());
        report.put("breakerClosed", events.closed());
        events.figures().forEach(report::put);
        report.put("floodRequests", flood.sent());
        report.put("floodRefused", flood.refused());
        Goodput goodput = new Goodput(outcomes, seconds(FLOOD), seconds(END - FLOOD));
        goodput.report(report);
        report.put("stalledMs", stalls.stalledMillis());
        require(report);
        requireInTime(report, judge, counted, stalls);
        requireGoodput(report, goodput, stalls);
    }

    /** A machine that stalls can neither make the flood nor answer in time. */
    private void requireGoodput(Report report, Goodput goodput, StallMeter stalls) {
        Report undisturbed = new Report();
        goodput.report(undisturbed, stalls::mayExplain);
        report.requireInTime(
                Goodput::isKept,
                undisturbed,
                "clients that behave got less than 90 % of their right answers while a tenant flooded");
        long due = (long) Flood.rate() * (END - FLOOD);
        undisturbed.put("floodRequests", stalls.stalledBetween(seconds(FLOOD), seconds(END)) ? due : flood.sent());
        report.requireInTime(
                it -> it.get("floodRequests") >= MIN_FLOOD * due,
                undisturbed,
                "the flood was less than it should have been: it says nothing");
    }

    /** What a stopwatch decides is held against Levee only where the machine was there to run it. */
    private static void requireInTime(Report report, Judge judge, List<Outcome> counted, StallMeter stalls) {
        Report undisturbed = new Report();
        judge.report(
                counted.stream().filter(outcome -> !stalls.mayExplain(outcome)).toList(), undisturbed);
        report.requireInTime(
                it -> Judge.enoughAnswered(it, 0.999),
                undisturbed,
                "fewer than 99.9 % of the redirects that a cache or a live database could answer succeeded");
        report.requireInTime(
                it -> it.get("degradedTooLate") == 0,
                undisturbed,
                "a redirect that could not be answered took more than " + Judge.DEGRADED_MILLIS + " ms to say so");
    }

    private void require(Report report) {
        report.require(report.get("lostLinks") == 0, "an acknowledged link does not resolve");
        report.require(report.get("lostClicks") == 0, "a click that was counted is not in the database");
        report.require(report.get("clickStatementsSaved") > 0, "no statement was saved by the batches of clicks");
        report.require(report.get("breakerOpened") > 0, "no breaker opened");
        report.require(report.get("breakerClosed") > 0, "no breaker closed again");
        report.require(events.stillOpen().isEmpty(), "still open: " + events.stillOpen());
        report.require(report.get("idempotentRepeats") > 0, "no request was repeated with its key");
        report.require(
                report.get("idempotentWrong") == 0,
                "a repeat with the same key got another answer than the first request, or was done again");
        report.require(report.get("nodesKilled") == 1, "no node was killed");
        report.require(
                report.get("redirectsCold") >= 0.2 * report.get("redirects"),
                "fewer than 20 % of the redirects asked for codes that no cache holds");
    }

    private void breakThings() {
        try {
            at(REHEARSAL, "rehearsal: the database is slow for two seconds, and a crowd comes");
            cluster.slowDatabase(SLOW);
            at(REHEARSAL_ENDS, "the rehearsal is over");
            cluster.slowDatabase(Duration.ZERO);
            at(COUNT_FROM, "from now on it counts");
            events.reset();
            long from = at(NODE_DIES, "node-2 is killed (SIGKILL)");
            String victim = cluster.incarnation(VICTIM);
            cluster.killNode(VICTIM);
            faults.nodeDied(victim, from);
            at(NODE_RETURNS, "node-2 starts again");
            cluster.startNode(VICTIM);
            faults.fault(from, now());

            from = at(DATABASE_SLOW, "the database is slow: " + SLOW.toMillis() + " ms more for each statement");
            cluster.slowDatabase(SLOW);
            at(DATABASE_QUICK, "the database is as quick as before");
            cluster.slowDatabase(Duration.ZERO);
            faults.databaseAway(from, now());

            from = at(DATABASE_DIES, "the database is killed (SIGKILL)");
            cluster.killDatabase();
            at(DATABASE_RETURNS, "the database starts again");
            cluster.startDatabase();
            faults.databaseAway(from, now());

            at(UNDISTURBED, "the " + (FLOOD - UNDISTURBED) + " s with which the flood is compared");
            at(FLOOD, "a tenant sends " + Flood.TIMES + " times what it may: " + Flood.rate() + " requests per second");
            flood.run(seconds(END) - now());
        } catch (UsageException | InterruptedException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private long at(int second, String what) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(seconds(second) - now());
        events.say("-- " + what);
        return now();
    }

    private long now() {
        return System.nanoTime() - start;
    }

    /** When the crowd comes to a database that has just become slow. */
    private static long afterIt(int slow) {
        return seconds(slow) + seconds(1) / 10;
    }

    private static long seconds(int seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }
}
