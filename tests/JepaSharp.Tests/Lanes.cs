// Lanes, two at a time side by side: tests that only start the built command and wait for it, and all others, which share one libtorch and one set
// of counters.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]

namespace JepaSharp.Tests;

/// <summary>Names of the lanes that run beside the tests in this process.</summary>
internal static class Lanes
{
    /// <summary>Tests that leave this process alone: they start the built command and look at what it says.</summary>
    public const string Commands = "commands";

    /// <summary>The same, of what people mean when they type a line: as many again, so that two cores have something to do to the end.</summary>
    public const string Intents = "intents";
}
