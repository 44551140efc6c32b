package dev.levee.simulator.report;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs parts: all subjects with the same seeds, several runs at a time, each on one thread in a world of its own. */
public final class Study {
    private final int threads;
    private final double scale;
    private final int seeds;

    /**
     * A study.
     *
     * @param threads how many runs at a time
     * @param scale how long a run is, relative to a full one
     * @param seeds how many seeds at most
     */
    public Study(int threads, double scale, int seeds) {
        this.threads = threads;
        this.scale = scale;
        this.seeds = seeds;
    }

    /** Runs a part. */
    public Results run(Part part) {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<List<Future<Figures>>> futures = new ArrayList<>();
            for (Subject subject : part.subjects()) {
                List<Future<Figures>> runs = new ArrayList<>();
                for (long seed = 1; seed <= Math.min(seeds, part.seeds()); seed++) {
                    long ofRun = seed;
                    runs.add(pool.submit(() -> part.runner().run(subject, ofRun, scale)));
                }
                futures.add(runs);
            }
            Results results = new Results();
            for (int i = 0; i < futures.size(); i++) {
                List<Figures> figures = new ArrayList<>();
                for (Future<Figures> future : futures.get(i)) {
                    figures.add(future.get());
                }
                results.put(part.subjects().get(i), figures);
            }
            return results;
        } catch (ExecutionException e) {
            throw new IllegalStateException(part.id() + " failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            pool.shutdownNow();
        }
    }
}
