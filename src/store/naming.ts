import { DefaultNamingStrategy, type NamingStrategyInterface } from 'typeorm';

/** Columns are `snake_case` in the database and camelCase in the code. */
export class SnakeNaming extends DefaultNamingStrategy implements NamingStrategyInterface {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
  }
}
