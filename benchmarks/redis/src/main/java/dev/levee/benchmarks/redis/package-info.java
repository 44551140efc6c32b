/**
 * Limits and caches on Redis, beside their peers on the same server: {@code benchmarks/compare-redis}. Each class is
 * one question, each of its methods a subject.
 */
package dev.levee.benchmarks.redis;
