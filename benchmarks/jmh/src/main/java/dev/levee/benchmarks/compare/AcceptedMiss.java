package dev.levee.benchmarks.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A target that is missed for a known reason, and may be up to a limit, so that it cannot become worse unseen.
 *
 * @param question whose targets may be missed
 * @param threads at how many threads
 * @param times how many times its bound the figure may be, more than one
 * @param reason why
 */
record AcceptedMiss(Question question, int threads, double times, String reason) {
    /**
     * Reads the list beside {@code benchmarks/compare}: a line each of question, threads, times and reason, separated
     * by spaces; empty lines and those that begin with {@code #} say nothing.
     *
     * @throws IllegalArgumentException if a line is not of that form, or there is no such target; it says which
     */
    static List<AcceptedMiss> parse(List<String> lines) {
        List<AcceptedMiss> accepted = new ArrayList<>();
        for (String line : lines) {
            if (!line.isBlank() && !line.startsWith("#")) {
                accepted.add(parse(line));
            }
        }
        return accepted;
    }

    private static AcceptedMiss parse(String line) {
        String[] parts = line.strip().split("\\s+", 4);
        if (parts.length < 4) {
            throw new IllegalArgumentException("not a question, threads, times and a reason: " + line);
        }
        Question question = Arrays.stream(Question.values())
                .filter(one -> one.id.equals(parts[0]))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no question " + parts[0] + ": " + line));
        AcceptedMiss accepted;
        try {
            accepted = new AcceptedMiss(question, Integer.parseInt(parts[1]), Double.parseDouble(parts[2]), parts[3]);
        } catch (NumberFormatException malformed) {
            throw new IllegalArgumentException("not a number of threads and of times: " + line, malformed);
        }
        if (!(accepted.times > 1)) {
            throw new IllegalArgumentException("a miss is more than one times its bound: " + line);
        }
        if (Target.ALL.stream().noneMatch(accepted::covers)) {
            throw new IllegalArgumentException("there is no such target: " + line);
        }
        return accepted;
    }

    boolean covers(Target target) {
        return target.question() == question && target.threads() == threads;
    }

    @Override
    public String toString() {
        return question + " at " + threads + " thread" + (threads == 1 ? "" : "s");
    }
}
