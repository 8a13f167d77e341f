using System.CommandLine;
using JepaSharp.Data.Loading;

namespace JepaSharp.Cli;

/// <summary><c>--memory-mb</c>: what decoding images may hold at a time, for verbs that have no configuration with <c>data.memory_mb</c>.</summary>
internal sealed class MemoryOption : Option<int?>
{
    public MemoryOption()
        : base("--memory-mb")
    {
        Description = $"Most that images being decoded and batches hold at a time, in MB; {DecodingBound.DefaultMegabytes} if not given.";
        HelpName = "N";
        this.RequireAtLeast(DecodingBound.LeastMegabytes);
    }

    /// <summary>Sets the process's bound to what was given.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="otherwise">What a configuration says; null for none.</param>
    public void Bound(ParseResult arguments, int? otherwise = null) => DecodingBound.Megabytes = arguments.GetValue(this) ?? otherwise ?? DecodingBound.DefaultMegabytes;
}
