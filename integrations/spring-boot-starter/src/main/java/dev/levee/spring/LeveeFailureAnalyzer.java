package dev.levee.spring;

import java.util.stream.Collectors;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says what is wrong with the configuration, where Boot shows why an application has not started. */
final class LeveeFailureAnalyzer extends AbstractFailureAnalyzer<LeveeConfigurationException> {
    LeveeFailureAnalyzer() {}

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, LeveeConfigurationException cause) {
        String description = cause.problems().stream()
                .map(problem -> "    " + problem)
                .collect(Collectors.joining(
                        System.lineSeparator(), "The configuration of Levee is wrong:" + System.lineSeparator(), ""));
        return new FailureAnalysis(description, "Correct the properties or names above.", cause);
    }
}
