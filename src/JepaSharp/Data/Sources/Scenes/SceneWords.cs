namespace JepaSharp.Data.Sources.Scenes;

/// <summary>CLEVR's words for attributes: the names of the enumerations in lower case.</summary>
internal static class SceneWords
{
    /// <summary>The word for a value.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => Words<T>.All[Array.IndexOf(Words<T>.Values, value)];

    /// <summary>The value of a word; false where there is none.</summary>
    public static bool TryParse<T>(string? word, out T value)
        where T : struct, Enum
    {
        var index = Array.IndexOf(Words<T>.All, word);
        value = index < 0 ? default : Words<T>.Values[index];
        return index >= 0;
    }

    /// <summary>All words for an attribute, for messages.</summary>
    public static string List<T>()
        where T : struct, Enum => string.Join(", ", Words<T>.All);

    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly T[] Values = Enum.GetValues<T>();
        public static readonly string[] All = [.. Values.Select(value => value.ToString().ToLowerInvariant())];
    }
}
