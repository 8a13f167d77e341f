namespace JepaSharp.Pictures;

/// <summary>Lower-case letters, digits and a few marks on 5x9 dots, drawn for labels in pictures; needs no font on the machine.</summary>
internal static class DotFont
{
    public const int Width = 5;

    /// <summary>Rows of a glyph; letters stand on row 7, descenders use the last two.</summary>
    public const int Height = 9;

    // Each glyph is nine rows, each row two octal digits holding five dots, the leftmost highest.
    private static readonly Dictionary<char, byte[]> Glyphs = new Dictionary<char, string>
    {
        ['a'] = "000016011721170000",
        ['b'] = "202036212121360000",
        ['c'] = "000016212021160000",
        ['d'] = "010117212121170000",
        ['e'] = "000016213720160000",
        ['f'] = "061110341010100000",
        ['g'] = "000017212121170116",
        ['h'] = "202026312121210000",
        ['i'] = "040014040404160000",
        ['j'] = "020006020202022214",
        ['k'] = "202022243024220000",
        ['l'] = "140404040404160000",
        ['m'] = "000032252525250000",
        ['n'] = "000026312121210000",
        ['o'] = "000016212121160000",
        ['p'] = "000036212121362020",
        ['q'] = "000017212121170101",
        ['r'] = "000026312020200000",
        ['s'] = "000017201601360000",
        ['t'] = "101034101011060000",
        ['u'] = "000021212123150000",
        ['v'] = "000021212112040000",
        ['w'] = "000021252525120000",
        ['x'] = "000021120412210000",
        ['y'] = "000021212121170116",
        ['z'] = "000037020410370000",
        ['0'] = "162123253121160000",
        ['1'] = "041404040404160000",
        ['2'] = "162101061020370000",
        ['3'] = "162101060121160000",
        ['4'] = "020612223702020000",
        ['5'] = "372036010121160000",
        ['6'] = "061020362121160000",
        ['7'] = "370102041010100000",
        ['8'] = "162121162121160000",
        ['9'] = "162121170102140000",
        ['.'] = "000000000014140000",
        [','] = "000000000006060410",
        [':'] = "000606000606000000",
        ['-'] = "000000370000000000",
        ['%'] = "303102041013030000",
        ['/'] = "010102040410200000",
        ['('] = "020410101004020000",
        [')'] = "100402020204100000",
    }.ToDictionary(glyph => glyph.Key, glyph => Unpack(glyph.Value));

    /// <summary>Nine rows of five bits, the leftmost dot highest; nothing for a character without a glyph.</summary>
    public static ReadOnlySpan<byte> Rows(char letter) => Glyphs.GetValueOrDefault(char.ToLowerInvariant(letter));

    private static byte[] Unpack(string octal)
    {
        var rows = new byte[Height];
        for (var row = 0; row < Height; row++) rows[row] = (byte)((8 * (octal[2 * row] - '0')) + octal[(2 * row) + 1] - '0');
        return rows;
    }
}
