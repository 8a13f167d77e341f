using JepaSharp.Service;

try
{
    await EncoderService.Build(args).RunAsync().ConfigureAwait(false);
    return 0;
}
catch (ModelUnusableException e)
{
    await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
    return 2;
}
