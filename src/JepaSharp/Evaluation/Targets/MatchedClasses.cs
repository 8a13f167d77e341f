using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Targets;

/// <summary>The classes of the images to fit on and of those to score on, matched by name.</summary>
public sealed class MatchedClasses
{
    private readonly string?[] _fit, _test;
    private readonly Dictionary<string, int> _index;

    private readonly bool _areNumbers;

    private MatchedClasses(IReadOnlyList<string> names, string?[] fit, string?[] test, bool areNumbers) =>
        (Names, _fit, _test, _areNumbers, _index) = (names, fit, test, areNumbers,
            names.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal));

    /// <summary>The classes, in numerical order where all are numbers, else in ordinal order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What a user should know: classes absent on one side. One sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Matches.</summary>
    /// <param name="fit">Class of each image to fit on.</param>
    /// <param name="test">Class of each image to score on.</param>
    /// <param name="areNumbers">Whether a class that is only among the test images is let pass, as can happen with numbers; it counts as
    /// wrong.</param>
    /// <exception cref="JepaException">No labels at all, one class only, or test images of classes that there is nothing to fit on.</exception>
    public static MatchedClasses Of(string?[] fit, string?[] test, bool areNumbers = false)
    {
        var (fitNames, testNames) = (Distinct(fit), Distinct(test));
        if (fitNames.Count == 0)
            throw new JepaException("None of the images to fit on has a label. Expected labelled images of at least 2 classes.", isUsage: true);
        if (testNames.Count == 0)
            throw new JepaException(
                "None of the test images has a label: there is nothing to compare with. Expected labelled test images.", isUsage: true);
        if (fitNames.Count == 1)
            throw new JepaException(
                $"All images to fit on are of one class, \"{fitNames.First()}\": there is nothing to tell apart. Expected at least 2 classes.",
                isUsage: true);
        string[] unknown = [.. testNames.Except(fitNames, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0 && (!areNumbers || unknown.Length == testNames.Count))
            throw new JepaException(
                $"{unknown.Length:N0} of the {Quantity.Of(testNames.Count, "class", "classes")} of the test images "
                + $"{(unknown.Length == 1 ? "is" : "are")} not among those to fit on: {Some(unknown)}. Those are: "
                + $"{Some([.. fitNames.Order(StringComparer.Ordinal)])}. Both sets must name their classes alike.",
                isUsage: true);
        string[] absent = [.. fitNames.Except(testNames, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var notes = new List<string>();
        if (absent.Length > 0)
            notes.Add($"{absent.Length:N0} of {fitNames.Count:N0} classes {(absent.Length == 1 ? "has" : "have")} no test image, so how well "
                + $"{They(absent)} told apart is not measured: {Some(absent)}.");
        if (unknown.Length > 0) notes.Add($"Test images with {Some(unknown)} count as wrong: there is none to fit on.");
        AddUnlabelled(notes, fit, "images to fit on");
        AddUnlabelled(notes, test, "test images");
        return new MatchedClasses(ClassLabels.Of([.. fitNames, .. unknown]).Classes, fit, test, areNumbers) { Notes = notes };
    }

    /// <summary>What a user should know of classes of which no image could be read, now that they have been. One sentence each.</summary>
    /// <param name="fit">Features of the images to fit on.</param>
    /// <param name="test">Features of the test images.</param>
    /// <exception cref="JepaException">No image of a class can be fitted on, and its test images would all count as wrong.</exception>
    public IReadOnlyList<string> NotesOnRead(PooledFeatures fit, PooledFeatures test) => NotesOnRead(fit.Indices, test.Indices);

    /// <summary>The same of images that have yet to be read, for a task that trains on pixels: an image of each class is decoded.</summary>
    /// <param name="fit">The images to fit on.</param>
    /// <param name="test">The test images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">No image of a class can be fitted on, or too many images cannot be read.</exception>
    public IReadOnlyList<string> NotesOnRead(
        ImageSource fit, ImageSource test, EvaluationTransform transform, CancellationToken cancellation = default) => NotesOnRead(
            ReadableClasses.OneOfEach(fit, _fit, transform, cancellation), ReadableClasses.OneOfEach(test, _test, transform, cancellation));

    private List<string> NotesOnRead(IEnumerable<int> fit, IEnumerable<int> test)
    {
        var (unfitted, untested) = (ReadableClasses.Lost(_fit, fit), ReadableClasses.Lost(_test, test));
        if (unfitted.Length > 0 && !_areNumbers)
            throw new JepaException(
                $"None of the images to fit on of {ClassesNamed(unfitted)} can be read: nothing can be learned of {It(unfitted)}. Mend the images, "
                    + $"or take {It(unfitted)} out of both sets.", isUsage: true);
        var notes = new List<string>();
        if (unfitted.Length > 0) notes.Add($"Test images with {Some(unfitted)} count as wrong: none of those to fit on can be read.");
        if (untested.Length > 0)
            notes.Add($"None of the test images of {ClassesNamed(untested)} can be read, so how well {They(untested)} told apart is not measured.");
        return notes;
    }

    private static string It(string[] names) => names.Length == 1 ? "it" : "them";

    private static string They(string[] names) => names.Length == 1 ? "it is" : "they are";

    private static string ClassesNamed(string[] names) => (names.Length == 1 ? "the class " : "the classes ") + Some(names);

    /// <summary>For each row of <see cref="Fit"/>, its place among <see cref="FitImages"/>.</summary>
    public int[] FitRows(PooledFeatures features)
    {
        var place = new int[_fit.Length];
        for (int i = 0, next = 0; i < _fit.Length; i++) place[i] = _fit[i] is null ? -1 : next++;
        return [.. features.Indices.Select(i => place[i]).Where(p => p >= 0)];
    }

    /// <summary>The labelled ones among the images to fit on.</summary>
    public ClassificationSet Fit(PooledFeatures features) => Set(features, _fit);

    /// <summary>The labelled ones among the test images, sealed.</summary>
    public TestSet Test(PooledFeatures features) => new(Set(features, _test));

    /// <summary>The images to fit on themselves, for a task that trains on pixels.</summary>
    public LabelledImages FitImages(ImageSource source) => Images(source, _fit);

    /// <summary>The test images themselves.</summary>
    public LabelledImages TestImages(ImageSource source) => Images(source, _test);

    private LabelledImages Images(ImageSource source, string?[] texts)
    {
        int[] labelled = [.. Enumerable.Range(0, source.Count).Where(i => texts[i] is not null)];
        return new LabelledImages(new ChosenImages(source, labelled), [.. labelled.Select(i => _index[texts[i]!])], Names.Count);
    }

    private ClassificationSet Set(PooledFeatures features, string?[] texts)
    {
        int[] rows = [.. Enumerable.Range(0, features.Indices.Length).Where(row => texts[features.Indices[row]] is not null)];
        if (rows.Length == 0) throw new JepaException("None of the labelled images can be read.", isUsage: true);
        int[] labels = [.. rows.Select(row => _index[texts[features.Indices[row]]!])];
        return new ClassificationSet(rows.Length == features.Matrix.Rows ? features.Matrix : features.Matrix.Select(rows), labels, Names.Count);
    }

    private static HashSet<string> Distinct(string?[] texts) => [.. texts.Where(t => t is not null).Select(t => t!)];

    private static void AddUnlabelled(List<string> notes, string?[] texts, string what)
    {
        var count = texts.Count(t => t is null);
        if (count > 0)
            notes.Add($"{count:N0} of {texts.Length:N0} {what} {(count == 1 ? "has no label and is" : "have no label and are")} left out.");
    }

    private static string Some(string[] names)
    {
        const int Shown = 8;
        return string.Join(", ", names.Take(Shown)) + (names.Length > Shown ? $" and {names.Length - Shown:N0} more" : "");
    }
}
