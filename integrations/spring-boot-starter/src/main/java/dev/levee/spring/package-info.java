/**
 * Levee in a Spring Boot application: policies and pipelines by configuration, as beans, on annotated methods, and in
 * the actuator. See ADR 126.
 */
@NullMarked
package dev.levee.spring;

import org.jspecify.annotations.NullMarked;
