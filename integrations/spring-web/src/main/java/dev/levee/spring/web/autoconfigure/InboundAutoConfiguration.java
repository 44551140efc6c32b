package dev.levee.spring.web.autoconfigure;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.internal.Text;
import dev.levee.spring.web.InboundConfig;
import dev.levee.spring.web.InboundFilter;
import dev.levee.spring.web.InboundWebFilter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.boot.web.servlet.FilterRegistration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.web.server.WebFilter;

/**
 * The filter of the server under {@code levee.http.server}. Trusts no header unless the configuration says so.
 *
 * @since 0.1
 */
@AutoConfiguration
@Conditional(InboundAutoConfiguration.FilterSwitch.class)
public class InboundAutoConfiguration {
    private static final String PREFIX = "levee.http.server";

    /** Made by Spring. */
    public InboundAutoConfiguration() {}

    /** Whether there is to be a filter: unless the switch is false, off or no. */
    static final class FilterSwitch implements Condition {
        FilterSwitch() {}

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            String property = PREFIX + ".enabled";
            try {
                return context.getEnvironment().getProperty(property, Boolean.class, true);
            } catch (ConversionException wrong) {
                throw new IllegalArgumentException(property + " must be true or false", wrong);
            }
        }
    }

    /** The server in the configuration. */
    record ServerProperties(
            @Nullable Boolean enabled,
            @Nullable Boolean trustDeadline,
            @Nullable String maxTime,
            @Nullable String correlationHeader,
            @Nullable Boolean trustCorrelation,
            @Nullable Boolean session) {}

    private static Consumer<InboundConfig.Builder> settings(org.springframework.core.env.Environment properties) {
        ServerProperties server = Binder.get(properties)
                .bind(PREFIX, Bindable.of(ServerProperties.class), ClientGuards.strict())
                .orElse(new ServerProperties(null, null, null, null, null, null));
        if (server.correlationHeader() == null && Boolean.TRUE.equals(server.trustCorrelation())) {
            throw new IllegalArgumentException(
                    PREFIX + ".trust-correlation = \"true\": needs correlation-header, the name of the header");
        }
        return c -> {
            c.trustDeadline(Boolean.TRUE.equals(server.trustDeadline()));
            c.session(Boolean.TRUE.equals(server.session()));
            set("max-time", server.maxTime(), text -> c.maxTime(duration(text)));
            set(
                    "correlation-header",
                    server.correlationHeader(),
                    header -> c.correlation(header, Boolean.TRUE.equals(server.trustCorrelation())));
        };
    }

    private static void set(String name, @Nullable String value, Consumer<String> setter) {
        if (value == null) {
            return;
        }
        try {
            setter.accept(value);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException(
                    PREFIX + "." + name + " = \"" + Text.printable(value) + "\": " + wrong.getMessage(), wrong);
        }
    }

    /** As everywhere under {@code levee}: a number alone says nothing. */
    private static Duration duration(String text) {
        String word = text.strip();
        if (word.equals("forever")) {
            return Deadline.FOREVER;
        }
        if (word.matches("[+-]?[0-9]*")) {
            throw new IllegalArgumentException("must be a duration with a unit, such as 500ms, 2s or PT1M30S");
        }
        return DurationStyle.detectAndParse(word);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Filter.class)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
    static class Servlets {
        @Bean
        @ConditionalOnMissingBean
        @Order(Ordered.HIGHEST_PRECEDENCE + 100)
        @FilterRegistration(
                order = Ordered.HIGHEST_PRECEDENCE + 100,
                // A refusal of a stage or a publisher comes out of the asynchronous dispatch.
                dispatcherTypes = {DispatcherType.REQUEST, DispatcherType.ASYNC})
        InboundFilter leveeInboundFilter(
                org.springframework.core.env.Environment properties, ObjectProvider<Environment> environments) {
            return InboundFilter.of(settings(properties), environments.getIfUnique(Environment::system));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(WebFilter.class)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
    static class WebFlux {
        @Bean
        @ConditionalOnMissingBean
        @Order(Ordered.HIGHEST_PRECEDENCE + 100)
        InboundWebFilter leveeInboundWebFilter(
                org.springframework.core.env.Environment properties, ObjectProvider<Environment> environments) {
            return InboundWebFilter.of(settings(properties), environments.getIfUnique(Environment::system));
        }
    }
}
