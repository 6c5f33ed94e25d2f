/** What this module, which measures, gives to the command. */
package dev.switchyard.bench.provider;
