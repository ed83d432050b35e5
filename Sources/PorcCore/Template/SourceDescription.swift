/// A source as it was described, with how to sign in.
public struct SourceDescription: Sendable, Equatable {
  public var source: TemplateSource
  public var access: SourceAccess

  public init(source: TemplateSource, access: SourceAccess = SourceAccess()) {
    self.source = source
    self.access = access
  }
}
