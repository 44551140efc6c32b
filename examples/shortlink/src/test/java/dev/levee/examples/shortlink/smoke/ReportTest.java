package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final Report report = new Report();

    @Test
    void json_has_the_figures_in_their_order() {
        report.put("requests", 3);
        report.put("p50Ms", 1.5);
        report.put("without", "cache");
        report.put("passed", true);

        assertThat(report.toJson())
                .isEqualTo("{\"requests\": 3, \"p50Ms\": 1.5, \"without\": \"cache\", \"passed\": true}");
    }

    @Test
    void what_is_not_as_it_must_be_is_said() {
        report.put("lostLinks", 1);
        assertThat(report.passed()).isTrue();
        report.require(report.get("lostLinks") == 0, "a link is lost");

        ByteArrayOutputStream table = new ByteArrayOutputStream();
        report.printTable(new PrintStream(table, true, StandardCharsets.UTF_8));
        assertThat(report.passed()).isFalse();
        assertThat(table.toString(StandardCharsets.UTF_8)).contains("lostLinks", "a link is lost");
    }
}
