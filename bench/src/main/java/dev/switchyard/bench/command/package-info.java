/**
 * What the commands have in common: the machine they run on, JSON, tables and checks of options.
 */
package dev.switchyard.bench.command;
