using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.Cli;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("photo ünd фото 🙂.png", "photo ünd фото 🙂.png")]
    [InlineData("a\u001b[2Jb", "a\\x1B[2Jb")]
    [InlineData("a\nb\rc\td\u0007", "a\\nb\\rc\\td\\x07")]
    [InlineData("gnp.\u202ecod\u2066\u200f", "gnp.\\u202Ecod\\u2066\\u200F")]
    [InlineData("\u009b31m\u007f\u2028", "\\u009B31m\\x7F\\u2028")]
    public void Text_WithControls_IsShownAndNotObeyed(string text, string shown) => Assert.Equal(shown, Printable.Of(text));

    [Fact]
    public void Lines_OfATerminal_StayOneEach()
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var terminal = new Terminal(output, error, errorIsTerminal: true, width: () => 30);
        terminal.Out.WriteLine("a\nb");
        terminal.Out.Write("{\n}\n");
        terminal.Error.WriteLine("\u001b[31m");
        terminal.Redraw("c\r\u001bd");
        Assert.Equal("a\\nb\n{\n}\n", output.ToString());
        Assert.Equal("\\x1B[31m\n\r\u001b[Kc\\r\\x1Bd", error.ToString());
    }
}
