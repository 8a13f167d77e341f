using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

public sealed class PrintableNameTests
{
    [Theory]
    [InlineData("photo 1.jpg")]
    [InlineData("日本 é.png")]
    [InlineData("👩\u200d🚀.png")]
    [InlineData("back\\slash")]
    public void Name_OfOrdinaryLetters_StaysTheSame(string name) => Assert.Same(name, PrintableName.Of(name));

    [Theory]
    [InlineData("a\u001b[31mb", "a\\x1B[31mb")]
    [InlineData("a\nb\tc\r", "a\\nb\\tc\\r")]
    [InlineData("a\u009bb", "a\\u009Bb")]
    [InlineData("gpj.\u202eexe", "gpj.\\u202Eexe")]
    [InlineData("a\u2028b", "a\\u2028b")]
    public void Name_WithWhatMovesATerminal_IsWrittenOut(string name, string printed) => Assert.Equal(printed, PrintableName.Of(name));

    [Fact]
    public void Name_OfBytesThatAreNoUtf8_ShowsThem() =>
        Assert.Equal("stra\\xDFe", PrintableName.Of(RawName.Decode([(byte)'s', (byte)'t', (byte)'r', (byte)'a', 0xdf, (byte)'e'])));

    [Fact]
    public void Bytes_OfAnyKind_ComeBackAsTheyWere()
    {
        byte[][] names =
        [
            [0x61, 0xdf], [0xff, 0xfe, 0x80], [0xed, 0xa0, 0x80, 0x61], [0xf0, 0x9f, 0x98, 0x80], [0xf0, 0x9f, 0x98],
            [0xf0, 0x9f, 0x98, 0x80, 0xdf, 0xc3, 0xa9],
        ];
        foreach (var name in names)
        {
            var text = RawName.Decode(name);
            Assert.Equal([.. name, 0], RawName.Encode(text));
        }

        Assert.False(RawName.IsRaw("é😀"));
        Assert.True(RawName.IsRaw(RawName.Decode([0x61, 0xdf])));
    }
}
