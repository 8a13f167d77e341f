namespace JepaSharp.Data.Sources.Lists;

/// <summary>Gives the rows of a text one after the other.</summary>
internal interface IRowReader
{
    /// <summary>Line that the latest row began on, from 1.</summary>
    int Line { get; }

    /// <summary>The next row that is not blank, or null at the end.</summary>
    List<string>? Next();
}
