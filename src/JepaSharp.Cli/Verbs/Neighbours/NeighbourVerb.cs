using System.CommandLine;
using System.Globalization;
using System.Text;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Pictures;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary>A verb that looks for neighbours among images by an encoder's features, made now or read from a file, and writes a table and a page of
/// small pictures.</summary>
internal abstract class NeighbourVerb : Verb
{
    /// <summary>Rows of pictures that a page has at most.</summary>
    protected const int MostRows = 200;

    private const int Side = 112;

    private readonly NeighbourArguments _input = new();
    private readonly Option<string?> _out = new("--out") { Description = "A new file for the table, ending in .csv.", HelpName = "FILE.csv" };
    private readonly Option<string?> _page = new("--page")
    {
        Description = "A new page with small pictures, ending in .html: one file that opens anywhere.",
        HelpName = "FILE.html",
    };
    private readonly Option<int> _exact = new("--exact-up-to")
    {
        Description = "Images up to which every pair is compared; of more an index is asked, which is faster and misses some.",
        DefaultValueFactory = _ => NeighbourSearch.MostCompared,
        HelpName = "N",
    };

    protected NeighbourVerb(string name, string description)
        : base(name, description)
    {
        _input.AddImagesTo(this);
        foreach (var option in (Option[])[_out, _page]) Add(option);
        _exact.RequireAtLeast(1);
    }

    /// <summary>Whether images are squashed, so that nothing at their borders is cut away, where nothing is said.</summary>
    protected virtual bool SeesWholeImages => false;

    /// <summary>Adds the options that all have, after the verb's own.</summary>
    protected void AddShared()
    {
        Add(_exact);
        _input.AddFeaturesTo(this);
    }

    /// <summary>Whether the features come from a file.</summary>
    protected bool ReadsEmbeddings(ParseResult arguments) => _input.EmbeddingsOf(arguments) is not null;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var (table, page) = (arguments.GetValue(_out), arguments.GetValue(_page));
        if (table is null && page is null)
            throw new JepaException("Nothing to write: give --out FILE.csv, --page FILE.html, or both.", isUsage: true);
        if (table is not null) NewFile.Require(table, ".csv");
        if (page is not null) NewFile.Require(page, ".html");
        Check(arguments);
        using var claim = OutputLock.Beside(table ?? page!, "writing");
        using var input = _input.Open(arguments, terminal, stop, SeesWholeImages, Name);
        if (page is not null && input.Embedded is { } embedded && embedded.Found < embedded.Count)
            terminal.Error.WriteLine("note: " + NeighbourInput.NotFound(embedded) + " The page shows their names alone.");
        var vectors = UnitVectors.Of(input.Features.Matrix);
        var found = Find(new NeighbourWork(arguments, terminal, stop, input, vectors, arguments.GetValue(_exact)));
        if (table is not null)
        {
            WholeFile.WriteText(table, found.Table);
            terminal.Out.WriteLine($"{table}: {found.Sum}");
        }

        if (page is not null)
        {
            found.WritePage(page);
            terminal.Out.WriteLine($"{page}: {found.PageSum}");
        }

        return ExitCode.Done;
    }

    /// <summary>Refuses options that mean nothing, before any work is done.</summary>
    protected virtual void Check(ParseResult arguments)
    {
    }

    /// <summary>Does the work.</summary>
    protected abstract NeighbourFindings Find(NeighbourWork work);

    /// <summary>A small picture with what is said of it.</summary>
    protected static PictureNote Note(ImageSource source, int index, string caption, bool marked = false) =>
        new(Thumbnail.Of(source, index, Side), source.NameOf(index), caption, marked);

    /// <summary>A number of a table: the shortest that reads back the same.</summary>
    protected static string Number(double value) => ((float)value).ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A field of a table, in quotes where it needs them.</summary>
    protected static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>"first 200 of 1,234 groups", or "12 groups".</summary>
    protected static string Shown(int all, string one, string many) =>
        all <= MostRows ? Quantity.Of(all, one, many) : string.Create(CultureInfo.InvariantCulture, $"the first {MostRows} of {all:n0} {many}");
}

/// <summary>What came of a search.</summary>
/// <param name="TableText">The whole table, as CSV.</param>
/// <param name="Sum">What is in it.</param>
/// <param name="PageSum">What is on the page.</param>
/// <param name="WritePage">Writes the page.</param>
internal sealed record NeighbourFindings(StringBuilder TableText, string Sum, string PageSum, Action<string> WritePage)
{
    public string Table => TableText.ToString();
}

/// <summary>Checks that a file of results can be written.</summary>
internal static class NewFile
{
    /// <exception cref="JepaException">It exists, ends otherwise, or there is no folder for it.</exception>
    public static void Require(string path, string ending)
    {
        if (Directory.Exists(path)) throw new JepaException($"{path} is a folder. Give a file ending in {ending}.", isUsage: true);
        if (!path.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
            throw new JepaException($"{path} does not end in {ending}. Give such a name.", isUsage: true);
        if (File.Exists(path)) throw new JepaException($"{path} exists and is not overwritten. Delete it, or give another name.", isUsage: true);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
            throw new JepaException(
                $"There is no folder {folder} to write {Path.GetFileName(path)} into. Make it, or give another name.", isUsage: true);
    }
}
