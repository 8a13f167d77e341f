using JepaSharp.Configuration;
using JepaSharp.Data.Sources;

namespace JepaSharp.Training;

/// <summary>The paths that a run keeps, so written that they mean the same from wherever the run is resumed, reported on or evaluated.</summary>
public static class RunPaths
{
    /// <summary>Options whose paths are whole: of images, also after <c>#only=</c> and <c>&amp;images=</c>, and of the run folder.</summary>
    public static PretrainOptions Whole(PretrainOptions options) => OptionPaths.With(options, SourceAddress.Whole, Path.GetFullPath);
}
