package dev.levee.benchmarks.spring;

import dev.levee.benchmarks.Work;
import dev.levee.spring.Guarded;
import dev.levee.spring.GuardedAutoConfiguration;
import dev.levee.spring.LeveeAutoConfiguration;
import io.github.resilience4j.retry.annotation.Retry;
import io.github.resilience4j.springboot.retry.autoconfigure.RetryAutoConfiguration;
import org.aopalliance.intercept.MethodInterceptor;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;

/** The subjects of {@link SpringGuarded}: an application for each, with one bean. */
public final class Applications {
    private static final int ATTEMPTS = 3;

    private Applications() {}

    private static ConfigurableApplicationContext start(Class<?> configuration, String... settings) {
        SpringApplication application = new SpringApplication(configuration);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.setBannerMode(Banner.Mode.OFF);
        application.setLogStartupInfo(false);
        return application.run(settings);
    }

    /** Fails all attempts but the last one, so that a subject which guards nothing fails the fork. */
    private static final class Failing {
        private int attempts;

        void attempt() {
            attempts++;
            if (attempts < ATTEMPTS) {
                throw new IllegalStateException("attempt " + attempts + " fails");
            }
        }
    }

    /** An application that uses {@link Guarded}. */
    @State(Scope.Benchmark)
    public static class LeveeState {
        private final ConfigurableApplicationContext context = start(
                LeveeBeans.class,
                "--levee.policies.work.kind=retry",
                "--levee.policies.work.max-attempts=" + ATTEMPTS,
                "--levee.policies.work.backoff.initial=1ms");
        final LeveeCalls calls = context.getBean(LeveeCalls.class);

        public LeveeState() {
            calls.repeated();
        }

        @TearDown
        public void stop() {
            context.close();
        }

        @Configuration(proxyBeanMethods = false)
        @ImportAutoConfiguration({LeveeAutoConfiguration.class, GuardedAutoConfiguration.class})
        static class LeveeBeans {
            @Bean
            LeveeCalls calls() {
                return new LeveeCalls();
            }
        }

        static class LeveeCalls {
            private final Work work = new Work();
            private final Failing failing = new Failing();

            @Guarded("work")
            public String call() {
                return work.get();
            }

            @Guarded("work")
            public void repeated() {
                failing.attempt();
            }
        }
    }

    /** An application that uses Resilience4j's {@link Retry}. */
    @State(Scope.Benchmark)
    public static class Resilience4jState {
        private final ConfigurableApplicationContext context = start(
                Resilience4jBeans.class,
                "--resilience4j.retry.instances.work.max-attempts=" + ATTEMPTS,
                "--resilience4j.retry.instances.work.wait-duration=1ms");
        final Resilience4jCalls calls = context.getBean(Resilience4jCalls.class);

        public Resilience4jState() {
            calls.repeated();
        }

        @TearDown
        public void stop() {
            context.close();
        }

        @Configuration(proxyBeanMethods = false)
        @ImportAutoConfiguration({AopAutoConfiguration.class, RetryAutoConfiguration.class})
        static class Resilience4jBeans {
            @Bean
            Resilience4jCalls calls() {
                return new Resilience4jCalls();
            }
        }

        static class Resilience4jCalls {
            private final Work work = new Work();
            private final Failing failing = new Failing();

            @Retry(name = "work")
            public String call() {
                return work.get();
            }

            @Retry(name = "work")
            public void repeated() {
                failing.attempt();
            }
        }
    }

    /** An application that uses Spring's {@link Retryable}. */
    @State(Scope.Benchmark)
    public static class SpringState {
        private final ConfigurableApplicationContext context = start(SpringBeans.class);
        final SpringCalls calls = context.getBean(SpringCalls.class);

        public SpringState() {
            calls.repeated();
        }

        @TearDown
        public void stop() {
            context.close();
        }

        @Configuration(proxyBeanMethods = false)
        @EnableResilientMethods(proxyTargetClass = true)
        static class SpringBeans {
            @Bean
            SpringCalls calls() {
                return new SpringCalls();
            }
        }

        static class SpringCalls {
            private final Work work = new Work();
            private final Failing failing = new Failing();

            @Retryable(maxRetries = ATTEMPTS - 1, delay = 1)
            public String call() {
                return work.get();
            }

            @Retryable(maxRetries = ATTEMPTS - 1, delay = 1)
            public void repeated() {
                failing.attempt();
            }
        }
    }

    /** A proxy with advice that goes on. */
    @State(Scope.Benchmark)
    public static class ProxyState {
        final ProxyCalls calls = proxy();

        private static ProxyCalls proxy() {
            ProxyFactory factory = new ProxyFactory(new ProxyCalls());
            factory.setProxyTargetClass(true);
            factory.addAdvice((MethodInterceptor) invocation -> invocation.proceed());
            return (ProxyCalls) factory.getProxy();
        }

        static class ProxyCalls {
            private final Work work = new Work();

            public String call() {
                return work.get();
            }
        }
    }
}
