package dev.levee.simulator.report;

import java.util.List;

/**
 * One page of the report.
 *
 * @param id the name of the page, without {@code .md}; its first letter alone chooses it too
 * @param title its heading
 * @param parts its questions
 */
public record Scenario(String id, String title, List<Part> parts) {
    /** Whether the text names this scenario. */
    public boolean is(String name) {
        return id.equalsIgnoreCase(name) || id.startsWith(name.toLowerCase(java.util.Locale.ROOT) + "-");
    }
}
