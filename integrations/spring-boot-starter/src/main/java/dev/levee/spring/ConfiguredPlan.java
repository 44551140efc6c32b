package dev.levee.spring;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration of an application asks for, read and checked as a whole, before anything is made of it.
 *
 * @param budgets the budgets that policies share, by their names
 * @param policies the policies, by their names
 * @param pipelines the pipelines, by their names
 * @param dataSources what guards the data sources, by the names of their beans in Boot's uniform form
 * @param others the properties of other parts that are set, with hashes of their values: one may be a secret
 */
record ConfiguredPlan(
        Map<String, BudgetSettings> budgets,
        Map<String, PolicyPlan> policies,
        Map<String, PipelinePlan> pipelines,
        Map<String, DataSourcePlan> dataSources,
        Map<String, Integer> others) {
    /**
     * A policy.
     *
     * @param name its name
     * @param kind its kind
     * @param settings what the kind has read
     * @param keys how it is made for each key; null if there is one for all
     * @param effective its properties that are set, the defaults of its kind included
     * @param path the name of its properties
     */
    record PolicyPlan(
            String name,
            PolicyKind<?> kind,
            Object settings,
            @Nullable KeySettings keys,
            Map<String, String> effective,
            String path) {}

    /**
     * A pipeline.
     *
     * @param name its name
     * @param elements the names of policies, pipelines and beans, outermost first
     * @param path the name of its property
     */
    record PipelinePlan(String name, List<String> elements, String path) {}

    /**
     * What guards a data source.
     *
     * @param name the name of its bean
     * @param pipeline the name of a pipeline, policy or bean
     * @param path the name of its properties
     */
    record DataSourcePlan(String name, String pipeline, String path) {}

    /** Returns whether there is one pipeline or policy of this name for each key. */
    boolean isKeyed(String name) {
        PolicyPlan policy = policies.get(name);
        if (policy != null) {
            return policy.keys() != null;
        }
        PipelinePlan pipeline = pipelines.get(name);
        return pipeline != null && pipeline.elements().stream().anyMatch(this::isKeyed);
    }
}
