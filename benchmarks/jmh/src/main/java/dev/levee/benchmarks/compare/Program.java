package dev.levee.benchmarks.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program that measures, in a JVM of its own, and prints {@code row SUBJECT FIGURE ERROR BYTES} for each subject. */
final class Program {
    private Program() {}

    /**
     * Runs it.
     *
     * @param arguments of its main method
     * @param jvm of the JVM
     * @param log receives what it prints
     * @return a row for each subject that could be measured
     */
    static List<Row> rows(
            Question question, Class<?> program, int threads, List<String> arguments, String[] jvm, PrintStream log) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(jvm));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(arguments);
        List<Row> rows = new ArrayList<>();
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    log.println(line);
                    String[] words = line.split(" ", -1);
                    if (words.length == 5 && words[0].equals("row")) {
                        rows.add(new Row(
                                question,
                                words[1],
                                threads,
                                Double.parseDouble(words[2]),
                                Double.parseDouble(words[3]),
                                Double.parseDouble(words[4])));
                    }
                }
            }
            log.println("exit code " + process.waitFor());
        } catch (IOException failure) {
            log.println(failure);
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        }
        return rows;
    }
}
