using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.Cli;

public sealed class ResultTableTests
{
    private static readonly ResultTable Table =
        new ResultTable("Probes", "encoder", "kNN", "note [x]").Add("untrained", "29.5 %", "").Add("trained [ema]", "137.9 %", "best");

    [Fact]
    public void Table_NotOnATerminal_IsAlignedWithNumbersToTheRight()
    {
        var output = new StringWriter { NewLine = "\n" };
        Table.Print(new Terminal(output, TextWriter.Null));
        Assert.Equal("Probes\nencoder            kNN  note [x]\nuntrained       29.5 %\ntrained [ema]  137.9 %  best\n", output.ToString());
    }

    [Fact]
    public void Table_OnATerminal_ShowsTheSameCells()
    {
        var output = new StringWriter();
        Table.Print(new Terminal(output, TextWriter.Null, outIsTerminal: true));
        foreach (var cell in (string[])["Probes", "note [x]", "trained [ema]", "137.9 %"])
            Assert.Contains(cell, output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Row_OfAnotherLength_IsRefused() => Assert.Throws<ArgumentException>(() => Table.Add("alone"));
}
